# The check program: the kernels against loops a reader can follow, on machines where there is no Python to ask.
file(GLOB torchstn_check_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/tests/*.cpp")
add_executable(torchstn_check ${torchstn_check_sources})
target_link_libraries(torchstn_check PRIVATE torchstn_core)
