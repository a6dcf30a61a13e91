# The Python module torchstn._native.
if(NOT SKBUILD AND NOT DEFINED Python_EXECUTABLE AND NOT DEFINED ENV{VIRTUAL_ENV}
   AND EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python")
  set(Python_EXECUTABLE "${PROJECT_SOURCE_DIR}/.venv/bin/python")
endif()
# scikit-build-core asks for the stable ABI where the Python is new enough.
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})

execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT RESULT_VARIABLE torchstn_no_nanobind ERROR_QUIET)
if(torchstn_no_nanobind)
  message(FATAL_ERROR "${Python_EXECUTABLE} has no nanobind: pip install nanobind, or name another Python with "
    "-DPython_EXECUTABLE=...")
endif()
find_package(nanobind CONFIG REQUIRED)

nanobind_add_module(_native STABLE_ABI NB_STATIC NB_SUPPRESS_WARNINGS NOMINSIZE "${PROJECT_SOURCE_DIR}/csrc/bindings.cpp")
target_link_libraries(_native PRIVATE torchstn_core)
if(SKBUILD AND NOT TORCHSTN_INPLACE)
  install(TARGETS _native LIBRARY DESTINATION torchstn)
else()
  set_target_properties(_native PROPERTIES LIBRARY_OUTPUT_DIRECTORY "$<1:${TORCHSTN_OUTPUT}>")
endif()
