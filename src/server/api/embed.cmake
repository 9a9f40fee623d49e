# embed.cmake -- the parts of the OpenAPI document as bytes in a C file: cmake -DOUT=FILE.c -DPARTS="a.yaml;b.yaml" -P
set(table "")
set(arrays "")
set(count 0)
foreach(part IN LISTS PARTS)
  get_filename_component(name ${part} NAME)
  file(READ ${part} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char part_${count}[] = {\n${bytes}\n};\n")
  string(APPEND table "    {\"${name}\", part_${count}, sizeof part_${count}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "/* Made by embed.cmake out of server/api/openapi. */\n#include \"server/api/document.h\"\n\n"
  "${arrays}\nconst ctn_api_part ctn_api_parts[] = {\n${table}};\n"
  "const size_t ctn_api_part_count = sizeof ctn_api_parts / sizeof *ctn_api_parts;\n")
