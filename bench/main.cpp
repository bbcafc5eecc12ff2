// SPDX-License-Identifier: GPL-2.0-only
// lkl-bench: every figure of the project, each beside the host kernel or another
// peer that is measured in the same run, as a table and as JSON.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

#include "figures.hpp"
#include "harness.hpp"
#include "host.hpp"

namespace {

namespace fs = std::filesystem;

constexpr bench::Figure figures[] = {
    {"calls", "a system call that does nothing", bench::measure_calls},
    {"boot", "starting and halting a kernel", bench::measure_boot},
    {"debug-boot", "the same of the kernel that checks itself", bench::measure_debug_boot},
    {"first-file", "starting, mounting, reading a file", bench::measure_first_file},
    {"switch", "two kernel threads in turns", bench::measure_switch},
    {"pipes", "two application threads in turns", bench::measure_pipes},
    {"idle", "what an idle kernel costs", bench::measure_idle},
    {"sequential", "reading a large file", bench::measure_sequential},
    {"random", "reading pages of a large file in random order", bench::measure_random},
    {"archive", "fs2tar of many small files", bench::measure_archive},
    {"copy", "cptofs and cpfromfs of many small files", bench::measure_copy},
    {"fuse", "lklfuse", bench::measure_fuse},
    {"sync", "durable writes", bench::measure_sync},
    {"snapshot", "coming back to a snapshot, as a fuzzer does", bench::measure_snapshot},
    {"network", "TCP over a tap interface and over loopback", bench::measure_network},
    {"http", "nginx under lkl run", bench::measure_http},
    {"connections", "1,000 idle TCP connections", bench::measure_connections},
    {"congestion", "BBR beside CUBIC where packets are lost", bench::measure_congestion},
    {"crypto", "checksums, hashes, ciphers, RAID-6", bench::measure_crypto},
};

struct Options {
    std::string filter;
    std::string json;
    std::string directory;
    int rounds = 7;
    bool list = false;
    bool verbose = false;
};

// A directory that goes with this object, and everything in it.
class TemporaryDirectory {
public:
    explicit TemporaryDirectory(const std::string& parent)
    {
        std::string name = parent + "/lkl-bench.XXXXXX";
        if (!::mkdtemp(name.data()))
            throw std::runtime_error("no directory for images in " + parent);
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory()
    {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

void measure(bench::Run& run, const bench::Figure& figure)
{
    bench::Row row{.name = figure.name};
    try {
        figure.measure(run);
        return;
    } catch (const bench::Skipped& reason) {
        row.skipped = reason.what();
    } catch (const std::exception& error) {
        row.skipped = error.what();
        row.failed = true;
    }
    run.add(row);
}

nlohmann::json machine()
{
    utsname names{};
    ::uname(&names);
    std::string cpu;
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; cpu.empty() && std::getline(info, line);) {
        if (line.rfind("model name", 0) == 0)
            cpu = line.substr(line.find(": ") + 2);
    }
    return {{"kernel", names.release}, {"cpu", cpu}, {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)}};
}

int run(const Options& options)
{
    const std::regex filter(options.filter);
    if (options.list) {
        for (const bench::Figure& figure : figures) {
            if (std::regex_search(figure.name, filter))
                std::printf("%-12s %s\n", figure.name, figure.what);
        }
        return 0;
    }

    bench::make_mounts_private();
    const fs::path program = fs::read_symlink("/proc/self/exe");
    const TemporaryDirectory directory(options.directory.empty() ? program.parent_path().string()
                                                                 : options.directory);
    bench::Run run;
    run.rounds = options.rounds;
    run.verbose = options.verbose;
    run.directory = directory.path();
    run.programs = program.parent_path();
    for (const bench::Figure& figure : figures) {
        if (std::regex_search(figure.name, filter))
            measure(run, figure);
    }

    std::printf("\n%s", bench::table(run.rows()).c_str());
    if (!options.json.empty()) {
        const nlohmann::json document{{"version", LKL_VERSION},
                                      {"machine", machine()},
                                      {"rounds", options.rounds},
                                      {"figures", bench::json(run.rows())}};
        std::ofstream out(options.json);
        out << document.dump(2) << "\n";
        out.close();
        if (!out)
            throw std::runtime_error("cannot write " + options.json);
    }
    int failed = 0;
    for (const bench::Row& row : run.rows())
        failed += row.failed;
    return failed != 0;
}

int measure(int argc, char** argv)
{
    Options options;
    CLI::App app{"Measures the library beside the host's kernel and other peers."};
    app.add_option("--filter", options.filter, "Only figures whose name matches")
        ->option_text("REGEX");
    app.add_option("--rounds", options.rounds, "Turns of ours and the peer; medians count")
        ->option_text("N")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--json", options.json, "Write the figures to this file as well")
        ->option_text("FILE");
    app.add_option("--directory", options.directory,
                   "Where images are made, 3 GiB; removed at the end")
        ->option_text("DIR")
        ->envname("LKL_BENCH_DIR");
    app.add_flag("--list", options.list, "Show the names of the figures");
    app.add_flag("-v,--verbose", options.verbose, "Show each turn");
    CLI11_PARSE(app, argc, argv);
    return run(options);
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return measure(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "lkl-bench: %s\n", error.what());
        return 1;
    }
}
