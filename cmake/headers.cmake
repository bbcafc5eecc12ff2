# SPDX-License-Identifier: GPL-2.0-only
#
#   target "uapi"      the kernel's user API with the lkl_ prefix, lkl/linux/...,
#                      in LKL_UAPI_INCLUDE, and generated sources, LKL_UAPI_SOURCES
#   target "headers"   include/ below the build directory: those and the library's
#                      own headers, as they are installed
#
#   target "docs"      docs/syscalls.md as generated with them
#
# What includes the generated headers calls lkl_use_uapi().

set(uapi_dir ${CMAKE_BINARY_DIR}/uapi/generated)
set(uapi_stamp ${uapi_dir}.stamp)
set(LKL_UAPI_INCLUDE ${uapi_dir}/include)
set(LKL_UAPI_SOURCE_DIR ${uapi_dir}/source)
set(LKL_UAPI_SOURCES ${LKL_UAPI_SOURCE_DIR}/syscalls.cpp)

file(GLOB generator CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/uapi/*)
add_custom_command(
    OUTPUT ${uapi_stamp} ${LKL_UAPI_SOURCES}
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/uapi.sh ${LKL_UAPI_RAW} ${LKL_LINUX_SOURCE} ${uapi_dir}
    DEPENDS ${LKL_UAPI_STAMP} ${generator} ${PROJECT_SOURCE_DIR}/cmake/uapi.sh
    COMMENT "User API headers with the lkl_ prefix"
    VERBATIM)
add_custom_target(uapi DEPENDS ${uapi_stamp})
add_custom_target(docs
    COMMAND ${CMAKE_COMMAND} -E copy ${uapi_dir}/syscalls.md ${PROJECT_SOURCE_DIR}/docs/syscalls.md
    DEPENDS ${uapi_stamp}
    VERBATIM)

# For a target and the sources of it that may include generated headers. ninja
# learns from the compiler which ones they do include, but looks at those before
# they are generated anew: the stamp tells it in time.
function(lkl_use_uapi target)
    target_include_directories(${target} PRIVATE ${LKL_UAPI_INCLUDE})
    add_dependencies(${target} uapi)
    get_target_property(sources ${target} SOURCES)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${uapi_stamp})
endfunction()

file(GLOB_RECURSE public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*)
add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/uapi/headers.stamp
    COMMAND rsync -r --checksum --delete
        ${LKL_UAPI_INCLUDE}/ ${PROJECT_SOURCE_DIR}/include/ ${CMAKE_BINARY_DIR}/include/
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/uapi/headers.stamp
    DEPENDS ${uapi_stamp} ${public_headers}
    COMMENT "Public headers"
    VERBATIM)
add_custom_target(headers ALL DEPENDS ${CMAKE_BINARY_DIR}/uapi/headers.stamp)
