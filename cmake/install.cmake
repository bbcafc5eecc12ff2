# SPDX-License-Identifier: GPL-2.0-only
#
# `cmake --install`: libraries, kernel images, headers, tools with their manual
# pages and completions, docs, pkg-config and CMake package.

include(CMakePackageConfigHelpers)

install(TARGETS lkl lkl_static lkl-fuzz
    EXPORT LKLTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# The images that were asked for, and what gdb shows of them (docs/debugging.md). What else
# the directory holds is for tests, or was built for a while.
foreach(config IN LISTS LKL_KERNEL_CONFIGS)
    lkl_image_name(${config} name)
    install(FILES ${LKL_IMAGE_DIR}/${name} ${LKL_IMAGE_DIR}/${name}.debug
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/lkl)
    install(DIRECTORY ${LKL_IMAGE_DIR}/${name}.gdb DESTINATION ${CMAKE_INSTALL_LIBDIR}/lkl
        OPTIONAL PATTERN __pycache__ EXCLUDE)
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/include/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${LKL_FUZZ_HEADERS} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lkl/fuzz)
if(LKL_TOOLS)
    install(TARGETS ${LKL_TOOLS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS lkl-hijack lkl-packetdrill LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(PROGRAMS tools/hijack/lkl-hijack.sh DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${LKL_MANUALS} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
# As a whole: manual pages, headers and messages name some, and these link to others.
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lkl FILES_MATCHING PATTERN "*.md")
install(DIRECTORY
        ${CMAKE_BINARY_DIR}/share/bash-completion
        ${CMAKE_BINARY_DIR}/share/zsh
        ${CMAKE_BINARY_DIR}/share/fish
    DESTINATION ${CMAKE_INSTALL_DATADIR})

# Mounts by lklfuse when a disk comes: systemd's unit, udev's rule, their options.
configure_file(packaging/systemd/lklfuse-mount@.service.in
    ${CMAKE_BINARY_DIR}/packaging/lklfuse-mount@.service @ONLY)
configure_file(packaging/udev/61-lklfuse.rules.in
    ${CMAKE_BINARY_DIR}/packaging/61-lklfuse.rules @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/packaging/lklfuse-mount@.service
    DESTINATION lib/systemd/system)
install(FILES ${CMAKE_BINARY_DIR}/packaging/61-lklfuse.rules DESTINATION lib/udev/rules.d)
install(FILES packaging/etc/lklfuse.conf DESTINATION ${CMAKE_INSTALL_SYSCONFDIR})

# Commands for gdb, see docs/debugging.md.
configure_file(tools/gdb/lkl-gdb.py ${CMAKE_BINARY_DIR}/share/lkl/lkl-gdb.py COPYONLY)
install(FILES tools/gdb/lkl-gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/lkl)

# What kunit.py of a kernel tree takes, see docs/conformance.md.
foreach(file IN ITEMS lkl.py qemu-system-lkl)
    configure_file(tools/kunit/${file} ${CMAKE_BINARY_DIR}/share/lkl/kunit/${file} COPYONLY)
endforeach()
install(FILES tools/kunit/lkl.py DESTINATION ${CMAKE_INSTALL_DATADIR}/lkl/kunit)
install(PROGRAMS tools/kunit/qemu-system-lkl DESTINATION ${CMAKE_INSTALL_DATADIR}/lkl/kunit)

# Relative to the file itself, so that an installed tree can be moved.
file(RELATIVE_PATH up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" up ${up})
set(LKL_PC_PREFIX "\${pcfiledir}/${up}")
foreach(kind LIBDIR INCLUDEDIR)
    set(LKL_PC_${kind} ${CMAKE_INSTALL_${kind}})
    if(NOT IS_ABSOLUTE ${LKL_PC_${kind}})
        string(PREPEND LKL_PC_${kind} "\${prefix}/")
    endif()
endforeach()
foreach(name lkl lkl-fuzz)
    configure_file(packaging/pkgconfig/${name}.pc.in ${CMAKE_BINARY_DIR}/packaging/${name}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/packaging/${name}.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/LKL)
set(image ${CMAKE_INSTALL_LIBDIR}/lkl/vmlinux)
configure_package_config_file(packaging/cmake/LKLConfig.cmake.in
    ${CMAKE_BINARY_DIR}/packaging/LKLConfig.cmake
    INSTALL_DESTINATION ${package_dir}
    PATH_VARS image)
# Before 1.0 each minor version may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/packaging/LKLConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
        ${CMAKE_BINARY_DIR}/packaging/LKLConfig.cmake
        ${CMAKE_BINARY_DIR}/packaging/LKLConfigVersion.cmake
    DESTINATION ${package_dir})
install(EXPORT LKLTargets NAMESPACE LKL:: DESTINATION ${package_dir})
