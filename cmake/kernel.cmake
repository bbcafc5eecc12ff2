# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel images in LKL_IMAGE_DIR, target "kernel", with "kernel-tests" for those
# that only tests need, and a target for each of those that are built when they are
# asked for; the source that they are built from, LKL_LINUX_SOURCE; and the user API
# headers that its `make headers_install` gives, LKL_UAPI_RAW; LKL_UAPI_STAMP says when
# they changed.
#
# A build directory either builds the kernel or, with LKL_KERNEL_BUILD, borrows it
# from another one, which has to be built before.

# The file of a configuration's image: vmlinux, vmlinux-tiny, ...
function(lkl_image_name config result)
    string(REGEX REPLACE "_?defconfig$" "" variant ${config})
    if(variant STREQUAL "")
        set(${result} vmlinux PARENT_SCOPE)
    else()
        set(${result} vmlinux-${variant} PARENT_SCOPE)
    endif()
endfunction()

set(LKL_IMAGE_DIR ${CMAKE_BINARY_DIR}/lib/lkl)

if(LKL_KERNEL_BUILD)
    set(LKL_LINUX_SOURCE ${LKL_KERNEL_BUILD}/linux/source)
    set(LKL_UAPI_RAW ${LKL_KERNEL_BUILD}/uapi/raw/include)
    set(LKL_UAPI_STAMP ${LKL_KERNEL_BUILD}/uapi/raw.stamp)
    add_custom_target(kernel ALL
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${LKL_IMAGE_DIR}
        COMMAND ${CMAKE_COMMAND} -E create_symlink ${LKL_KERNEL_BUILD}/lib/lkl ${LKL_IMAGE_DIR}
        COMMENT "Borrowing the kernel of ${LKL_KERNEL_BUILD}"
        VERBATIM)
    add_custom_target(kernel-tests)
    add_dependencies(kernel-tests kernel)
    foreach(target IN ITEMS
            kernel-kunit kernel-debug kernel-kasan kernel-fuzz kernel-trace kernel-clang)
        add_custom_target(${target})
        add_dependencies(${target} kernel)
    endforeach()
    return()
endif()

set(linux_dir ${CMAKE_BINARY_DIR}/linux)
set(LKL_LINUX_SOURCE ${linux_dir}/source)
set(LKL_UAPI_RAW ${CMAKE_BINARY_DIR}/uapi/raw/include)
set(LKL_UAPI_STAMP ${CMAKE_BINARY_DIR}/uapi/raw.stamp)

set(linux_origin /usr/src/linux-source-6.12.tar.xz)
if(LKL_LINUX)
    get_filename_component(linux_origin ${LKL_LINUX} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
endif()

if(NOT EXISTS ${linux_origin})
    message(WARNING "No kernel source at ${linux_origin}: run `make deps`, or name one by LKL_LINUX")
endif()

set(kernel_script ${PROJECT_SOURCE_DIR}/cmake/kernel.sh)
set(kernel_command ${kernel_script}
    --root ${PROJECT_SOURCE_DIR} --work ${linux_dir} --linux ${linux_origin}
    --jobs ${LKL_JOBS} --ccache "${LKL_CCACHE_PROGRAM}")

# A tarball says by its time that it changed. Whether something changed in a
# directory takes a look at it each time; when nothing did, the stamp stays and
# ninja goes no further.
set(origin_dependency ${linux_origin})
if(IS_DIRECTORY ${linux_origin})
    add_custom_command(OUTPUT look-at-linux-directory COMMAND ${CMAKE_COMMAND} -E true)
    set_source_files_properties(look-at-linux-directory PROPERTIES SYMBOLIC TRUE)
    set(origin_dependency look-at-linux-directory)
endif()
# The path is an input of its own: another package may be older than the stamp.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/linux-origin CONTENT "${linux_origin}\n")
add_custom_command(
    OUTPUT ${linux_dir}/source.stamp
    COMMAND ${kernel_command} source
    DEPENDS ${origin_dependency} ${CMAKE_BINARY_DIR}/linux-origin
    COMMENT "Kernel source from ${linux_origin}"
    VERBATIM)

# What a rebuild of the kernel is for.
file(GLOB_RECURSE port_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/arch/lkl/*)
list(FILTER port_files EXCLUDE REGEX "/arch/lkl/configs/|\\.md$|/\\.[^/]*$")
set(uapi_files ${port_files})
list(FILTER uapi_files INCLUDE REGEX "/include/uapi/|/Makefile$|\\.tbl$|/Kbuild$")

# The image `name` of a configuration, by a compiler. A configuration's file counts for
# its own image only.
function(add_image name config compiler)
    set(image ${LKL_IMAGE_DIR}/${name})
    set(config_files ${PROJECT_SOURCE_DIR}/arch/lkl/configs/${config})
    if(NOT EXISTS ${config_files})
        # A fragment on top of the full configuration.
        string(REPLACE _defconfig .config config_files ${config_files})
        list(APPEND config_files ${PROJECT_SOURCE_DIR}/arch/lkl/configs/defconfig)
    endif()
    # The terminal: shows progress, and lets one kernel build run at a time.
    add_custom_command(
        OUTPUT ${image}
        BYPRODUCTS ${image}.debug
        COMMAND ${kernel_command} --compiler ${compiler} image ${config} ${image}
        DEPENDS ${linux_dir}/source.stamp ${port_files} ${config_files}
            ${kernel_script} ${PROJECT_SOURCE_DIR}/cmake/check-image.py
        COMMENT "Kernel ${name}, ${config}"
        USES_TERMINAL
        VERBATIM)
endfunction()

set(images "")
set(test_images "")
set(all_configs ${LKL_KERNEL_CONFIGS} ${LKL_TEST_KERNEL_CONFIGS})
list(REMOVE_DUPLICATES all_configs)
foreach(config IN LISTS all_configs)
    lkl_image_name(${config} name)
    add_image(${name} ${config} gcc)
    if(config IN_LIST LKL_KERNEL_CONFIGS)
        list(APPEND images ${LKL_IMAGE_DIR}/${name})
    else()
        list(APPEND test_images ${LKL_IMAGE_DIR}/${name})
    endif()
endforeach()

# Those that are built when they are asked for.
foreach(variant IN ITEMS kunit debug kasan fuzz trace)
    if(NOT ${variant}_defconfig IN_LIST all_configs)
        add_image(vmlinux-${variant} ${variant}_defconfig gcc)
    endif()
endforeach()
add_image(vmlinux-clang defconfig clang)
foreach(variant IN ITEMS kunit debug kasan fuzz trace clang)
    add_custom_target(kernel-${variant} DEPENDS ${LKL_IMAGE_DIR}/vmlinux-${variant})
endforeach()

add_custom_target(kernel ALL DEPENDS ${images})
add_custom_target(kernel-tests DEPENDS ${test_images})
add_custom_target(sizes
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/sizes.sh ${images}
    DEPENDS ${images} ${PROJECT_SOURCE_DIR}/cmake/sizes.sh
    COMMENT "Sizes of the kernel images"
    VERBATIM)
add_custom_target(check-pristine
    COMMAND ${kernel_command} check-pristine
    COMMENT "Comparing the kernel's source with ${linux_origin}"
    USES_TERMINAL
    VERBATIM)
# The default configuration by itself, the others by their names: they compile code of
# arch/lkl that it does not.
foreach(variant IN ITEMS "" -tiny -selftest -kunit -debug -kasan -fuzz -trace)
    string(REGEX REPLACE "^-(.+)" "\\1_" prefix "${variant}")
    add_custom_target(check-sparse${variant}
        COMMAND ${kernel_command} check-sparse ${prefix}defconfig
        DEPENDS ${LKL_IMAGE_DIR}/vmlinux${variant}
        COMMENT "sparse on arch/lkl, ${prefix}defconfig"
        USES_TERMINAL
        VERBATIM)
endforeach()

add_custom_command(
    OUTPUT ${LKL_UAPI_STAMP}
    COMMAND ${kernel_command} headers ${CMAKE_BINARY_DIR}/uapi/raw
    COMMAND ${CMAKE_COMMAND} -E touch ${LKL_UAPI_STAMP}
    DEPENDS ${linux_dir}/source.stamp ${uapi_files} ${kernel_script}
    COMMENT "User API headers of the kernel"
    VERBATIM)
