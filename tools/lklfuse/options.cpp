// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/options.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include <sys/stat.h>

#include "common/report.hpp"

namespace tools::lklfuse {

namespace {

constexpr uint64_t default_memory = 64;  // MiB
constexpr uint64_t least_memory = 48;    // with less the kernel runs short
constexpr uint64_t most_memory = uint64_t{1} << 20;

constexpr std::string_view usage =
    "Usage: lklfuse IMAGE MOUNTPOINT [OPTIONS]\n"
    "Mount the file system of a disk image, with the Linux kernel's own drivers and\n"
    "without root. \"fusermount3 -u MOUNTPOINT\" unmounts.\n"
    "\n"
    "  -o type=TYPE       file system type; detected if not given\n"
    "  -o part=N          partition number; 0 is the whole disk\n"
    "  -o ro              read-only: the image is never written\n"
    "  -o opts=LIST       mount options of the file system, commas as \\,\n"
    "  -o mb=MIB          memory of the kernel, in MiB (64)\n"
    "  -o log=FILE        append the kernel's log to this file\n"
    "  -o lock=FILE       hold a lock on this file\n"
    "  -o max_threads=N   serve this many requests at a time (10)\n"
    "  -o clone_fd        a channel to the host's kernel for each thread\n"
    "  -o no_sandbox      let the image's file system do all that you may\n"
    "  -f                 stay in the foreground\n"
    "  -d                 the same, and show all requests and the kernel's log\n"
    "  -s                 one request at a time\n"
    "  -q, --quiet        no notes\n"
    "  -h, --help         print this and exit\n"
    "  -V, --version      print the version and exit\n"
    "\n"
    "Other options of -o are FUSE's own: allow_other, ... (man mount.fuse3).\n"
    "Examples:\n"
    "  lklfuse disk.img mnt -o part=1,ro       # look at partition 1\n"
    "  lklfuse fs.img mnt -o opts=noatime -f   # in the foreground\n"
    "Exit status and details: man lklfuse\n";

[[noreturn]] void fail_usage(const std::string& why)
{
    throw ToolError(ExitCode::usage, why + " (lklfuse --help shows the options)");
}

uint64_t parse_number(std::string_view name, std::string_view text, uint64_t least, uint64_t most)
{
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < least ||
        value > most)
        fail_usage("-o " + std::string(name) + "=" + escaped(text) + ": not a number from " +
                   std::to_string(least) + " to " + std::to_string(most));
    return value;
}

enum class Key : int {
    value,
    read_only,
    foreground,
    debug,
    single,
    clone,
    no_sandbox,
    quiet,
    version,
    help
};

// What libfuse's parser calls back for; errors wait until it has returned, since it is C.
struct Parser {
    explicit Parser(Options& target) : options(target) {}

    Options& options;
    std::array<std::string, 2> operands;
    size_t operand_count = 0;
    bool version = false;
    bool help = false;
    std::string error_text;

    void take_value(std::string_view argument);
    void take_operand(const char* argument);
    int take(const char* argument, int key);
};

void Parser::take_value(std::string_view argument)
{
    const size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const std::string value(argument.substr(equals + 1));
    if (name == "type")
        options.image.type = value;
    else if (name == "part")
        options.image.partition = static_cast<unsigned>(parse_number(name, value, 0, 4096));
    else if (name == "opts")
        options.image.options = value;
    else if (name == "mb")
        options.image.memory = parse_number(name, value, 1, most_memory) << 20;
    else if (name == "log")
        options.log_file = value;
    else if (name == "lock")
        options.lock_file = value;
    else
        options.max_threads = static_cast<unsigned>(parse_number(name, value, 1, 1000));
}

void Parser::take_operand(const char* argument)
{
    if (operand_count == operands.size())
        fail_usage("one argument too many: " + escaped(argument));
    operands[operand_count++] = argument;
}

// 0: it is ours; 1: libfuse's.
int Parser::take(const char* argument, int key)
{
    if (key == FUSE_OPT_KEY_NONOPT) {
        take_operand(argument);
        return 0;
    }
    switch (static_cast<Key>(key)) {
    case Key::value:
        take_value(argument);
        return 0;
    case Key::read_only:
        options.image.writable = false;
        return 1;
    case Key::foreground:
        options.foreground = true;
        return 0;
    case Key::debug:
        options.foreground = options.debug = true;
        return 1;
    case Key::single:
        options.single_thread = true;
        return 0;
    case Key::clone:
        options.clone_fd = true;
        return 0;
    case Key::no_sandbox:
        options.image.sandbox = false;
        return 0;
    case Key::quiet:
        options.quiet = true;
        return 0;
    case Key::version:
        version = true;
        return 0;
    case Key::help:
        help = true;
        return 0;
    default:
        return 1;
    }
}

int take_option(void* data, const char* argument, int key, struct fuse_args* /*out*/)
{
    Parser& parser = *static_cast<Parser*>(data);
    try {
        return parser.take(argument, key);
    } catch (const ToolError& error) {
        parser.error_text = error.what();
        return -1;
    }
}

constexpr int key(Key key)
{
    return static_cast<int>(key);
}

constexpr std::array known_options{
    fuse_opt{"type=", -1U, key(Key::value)},
    fuse_opt{"part=", -1U, key(Key::value)},
    fuse_opt{"opts=", -1U, key(Key::value)},
    fuse_opt{"mb=", -1U, key(Key::value)},
    fuse_opt{"log=", -1U, key(Key::value)},
    fuse_opt{"lock=", -1U, key(Key::value)},
    fuse_opt{"max_threads=", -1U, key(Key::value)},
    fuse_opt{"ro", -1U, key(Key::read_only)},
    fuse_opt{"-r", -1U, key(Key::read_only)},
    fuse_opt{"-f", -1U, key(Key::foreground)},
    fuse_opt{"-d", -1U, key(Key::debug)},
    fuse_opt{"debug", -1U, key(Key::debug)},
    fuse_opt{"-s", -1U, key(Key::single)},
    fuse_opt{"clone_fd", -1U, key(Key::clone)},
    fuse_opt{"no_sandbox", -1U, key(Key::no_sandbox)},
    fuse_opt{"--no-sandbox", -1U, key(Key::no_sandbox)},
    fuse_opt{"-q", -1U, key(Key::quiet)},
    fuse_opt{"--quiet", -1U, key(Key::quiet)},
    fuse_opt{"-V", -1U, key(Key::version)},
    fuse_opt{"--version", -1U, key(Key::version)},
    fuse_opt{"-h", -1U, key(Key::help)},
    fuse_opt{"--help", -1U, key(Key::help)},
    fuse_opt{nullptr, 0, 0},
};

// The directory to mount on, before anything else is done. "/dev/fd/N" is an open
// connection to the host's kernel, which mount.fuse3 -o drop_privileges has mounted.
std::string find_mount_point(const std::string& path)
{
    if (path.starts_with("/dev/fd/"))
        return path;
    std::array<char, PATH_MAX> absolute;
    struct stat status;
    if (realpath(path.c_str(), absolute.data()) == nullptr || stat(absolute.data(), &status) != 0)
        throw ToolError(ExitCode::output,
                        escaped(path) + ": cannot mount there: " + std::strerror(errno));
    if (!S_ISDIR(status.st_mode))
        throw ToolError(ExitCode::output, escaped(path) + ": cannot mount there: not a directory");
    return absolute.data();
}

// As the source of the mount: what others see of it has no working directory, and they
// would take a bare name for a file of theirs. An image that is not there is reported
// when it is opened.
std::string source_of_mount(const std::string& image)
{
    std::array<char, PATH_MAX> absolute;
    return realpath(image.c_str(), absolute.data()) ? absolute.data() : image;
}

// Mounts by others' names of lklfuse may have asked for less; a mount is not refused for it.
void require_memory(Options& options)
{
    if (options.image.memory >= least_memory << 20)
        return;
    if (!options.quiet)
        report("-o mb=" + std::to_string(options.image.memory >> 20) + ": the kernel gets " +
               std::to_string(least_memory) + " MiB, the least that it needs");
    options.image.memory = least_memory << 20;
}

void add_option(Options& options, const std::string& text)
{
    // Before those of the user, which overrule it.
    if (fuse_opt_insert_arg(&options.fuse.args, 1, ("-o" + text).c_str()) != 0)
        throw std::bad_alloc();
}

std::string with_escaped_commas(std::string_view text)
{
    std::string result;
    for (const char c : text) {
        if (c == ',' || c == '\\')
            result += '\\';
        result += c;
    }
    return result;
}

}  // namespace

bool parse_command_line(int argc, char** argv, Options& options)
{
    options.image.memory = default_memory << 20;
    options.image.writable = true;
    options.image.partition_option = "-o part=N";
    options.image.type_option = "-o type=TYPE";
    options.fuse.args = FUSE_ARGS_INIT(argc, argv);
    Parser parser(options);
    if (fuse_opt_parse(&options.fuse.args, &parser, known_options.data(), take_option) != 0) {
        if (parser.error_text.empty())
            fail_usage("an option lacks its argument");
        throw ToolError(ExitCode::usage, parser.error_text);
    }
    if (parser.help || parser.version) {
        std::fputs(parser.help ? usage.data() : "lklfuse " LKL_VERSION "\n", stdout);
        return false;
    }
    if (parser.operand_count < 2)
        fail_usage(parser.operand_count == 0 ? "IMAGE is missing" : "MOUNTPOINT is missing");
    require_memory(options);
    options.image.path = parser.operands[0];
    options.mount_point = find_mount_point(parser.operands[1]);
    options.image.show_log = options.debug;
    add_option(options, "default_permissions");
    add_option(options, "subtype=lklfuse");
    add_option(options, "fsname=" + with_escaped_commas(source_of_mount(options.image.path)));
    return true;
}

}  // namespace tools::lklfuse
