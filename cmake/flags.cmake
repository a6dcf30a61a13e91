# What every file of ours is compiled with: the target torchstn_flags.
add_library(torchstn_flags INTERFACE)
target_include_directories(torchstn_flags INTERFACE "${PROJECT_SOURCE_DIR}/csrc")

# The kernels are written in vector types that GCC (12 and newer) and Clang know, Microsoft's own compiler does not.
if(MSVC AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "The kernels need clang-cl on Windows: set CMAKE_GENERATOR_TOOLSET=ClangCL")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "The kernels need GCC 12 or newer, or Clang; this is GCC ${CMAKE_CXX_COMPILER_VERSION}")
endif()
target_compile_options(torchstn_flags INTERFACE -Wall -Wextra -Wconversion -fno-math-errno -fno-trapping-math)
# How wide vectors are passed depends on the instruction set; none is passed from one file to another.
target_compile_options(torchstn_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>)
if(MSVC)
  # clang-cl hides GCC's spelling of warnings and optimisation behind its own.
  set_property(TARGET torchstn_flags PROPERTY INTERFACE_COMPILE_OPTIONS
    /W4 /clang:-O3 /clang:-fno-math-errno /clang:-fno-trapping-math)
endif()
if(TORCHSTN_WERROR)
  target_compile_options(torchstn_flags INTERFACE -Werror)
endif()

# The sanitizers go into nanobind's part of the module, too.
if(TORCHSTN_SANITIZE)
  add_compile_options(-fsanitize=${TORCHSTN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${TORCHSTN_SANITIZE})
endif()

# One OpenMP runtime a process: torch's. Where the compiler's runtime is another than the one torch brings, two pools of
# threads would fight over the cores; the kernels then run on one thread.
if(APPLE)
  # Not tried on a Mac. Apple's compiler has no runtime; the symbols are left open and torch's libomp, which is loaded
  # before this module, fills them. The header comes from Homebrew's libomp.
  find_path(TORCHSTN_OMP_INCLUDE omp.h PATHS /opt/homebrew/opt/libomp/include /usr/local/opt/libomp/include)
  if(TORCHSTN_OMP_INCLUDE)
    target_compile_options(torchstn_flags INTERFACE -Xpreprocessor -fopenmp)
    target_include_directories(torchstn_flags SYSTEM INTERFACE "${TORCHSTN_OMP_INCLUDE}")
    target_link_options(torchstn_flags INTERFACE -Wl,-undefined,dynamic_lookup)
  else()
    message(WARNING "No omp.h (brew install libomp): the kernels will run on one thread")
    target_compile_options(torchstn_flags INTERFACE -Wno-unknown-pragmas)
  endif()
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC records the plain soname libgomp.so.1, which torch's copy has, too: the loader then maps no second one.
  target_compile_options(torchstn_flags INTERFACE -fopenmp)
  target_link_options(torchstn_flags INTERFACE -fopenmp)
else()
  # Neither clang-cl nor Clang on Linux can use the runtime that torch brings there.
  message(WARNING "${CMAKE_CXX_COMPILER_ID} links an OpenMP runtime that is not torch's: the kernels will run on one thread")
  target_compile_options(torchstn_flags INTERFACE -Wno-unknown-pragmas)
endif()
