add_library(callwitness_flags INTERFACE)
target_include_directories(callwitness_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(callwitness_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<BOOL:${CALLWITNESS_SANITIZE}>:-Wno-maybe-uninitialized>)  # gcc 12 reports it falsely under sanitizers
target_compile_definitions(callwitness_flags INTERFACE CALLWITNESS_VERSION="${PROJECT_VERSION}")
if(CALLWITNESS_WERROR)
  target_compile_options(callwitness_flags INTERFACE -Werror)
endif()
if(CALLWITNESS_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
