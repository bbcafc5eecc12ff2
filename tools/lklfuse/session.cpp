// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/session.hpp"

#include <cstring>
#include <string>
#include <thread>

#include "lklfuse/fuse_log_text.hpp"
#include "lklfuse/operations.hpp"
#include "lklfuse/stopper.hpp"

namespace tools::lklfuse {

namespace {

// Threads beyond what the host has CPUs for wait for the image's disk.
constexpr unsigned usual_threads = 10;

fuse_lowlevel_ops operations()
{
    fuse_lowlevel_ops table{};
    add_attribute_operations(table);
    add_connection_operations(table);
    add_data_operations(table);
    add_directory_operations(table);
    add_extended_attribute_operations(table);
    add_ioctl_operations(table);
    add_name_operations(table);
    add_open_operations(table);
    return table;
}

fuse_session* make_session(Options& options, FileSystem& fs)
{
    const fuse_lowlevel_ops table = operations();
    fuse_session* const session = fuse_session_new(&options.fuse.args, &table, sizeof(table), &fs);
    if (session == nullptr)
        throw ToolError(ExitCode::usage,
                        escaped(take_fuse_error()) + " (lklfuse --help shows the options)");
    return session;
}

}  // namespace

Session::Session(Options& options, FileSystem& fs, Mounter& mounter)
    : options_(options), fs_(fs), mounter_(mounter), session_(make_session(options, fs))
{
    Descriptor connection = mounter_.mount();
    mounted_ = true;
    const std::string path = "/dev/fd/" + std::to_string(connection.get());
    if (fuse_session_mount(session_.get(), path.c_str()) != 0)
        throw ToolError(ExitCode::internal, path + ": " + escaped(take_fuse_error()));
    connection.release();
}

Session::~Session()
{
    // Of a mount that nothing came of. One that was used is gone by now, or was taken
    // out of the way with files of it in use.
    if (!mounted_)
        return;
    // Unmounting while there is a connection makes requests that nobody answers.
    session_.reset();
    mounter_.unmount(false);
}

int Session::serve()
{
    if (options_.single_thread) {
        // Not this thread: what threads keep in the kernel inside they give back when they end
        // (thread_buffer.cpp), and this one outlives it.
        int result = 0;
        std::thread([&] { result = fuse_session_loop(session_.get()); }).join();
        return result;
    }
    fuse_loop_config* const config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(config, options_.clone_fd ? 1 : 0);
    fuse_loop_cfg_set_max_threads(config,
                                  options_.max_threads > 0 ? options_.max_threads : usual_threads);
    const int result = fuse_session_loop_mt(session_.get(), config);
    fuse_loop_cfg_destroy(config);
    return result;
}

void Session::run()
{
    mounted_ = false;
    fs_.start(session_.get());
    int result = 0;
    {
        const Stopper stopper(session_.get(), mounter_, options_.mount_point);
        result = serve();
    }
    fs_.stop();
    if (result < 0)
        throw ToolError(ExitCode::internal, escaped(options_.mount_point) +
                                                ": requests of the host's kernel cannot be read: " +
                                                std::strerror(-result));
}

}  // namespace tools::lklfuse
