// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/shell/line_input.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include <poll.h>
#include <readline/history.h>
#include <readline/readline.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools::lkl_tool {

namespace {

constexpr int most_lines = 1000;  // of the history

// For Readline's functions, which are C and know no object.
std::vector<std::string> command_names;
std::function<std::vector<std::string>(const std::string&)> complete_path;
std::vector<std::string> candidates;
bool line_is_complete;
std::optional<std::string> line;  // none: the end

volatile std::sig_atomic_t interrupted = 0;

// While it lives, Ctrl-C sets `interrupted`, and arrives in wait_for_key() alone: whatever
// Readline does is done as a whole.
class CtrlC {
public:
    CtrlC()
    {
        interrupted = 0;
        struct sigaction action {};
        action.sa_handler = [](int) { interrupted = 1; };
        sigset_t held;
        sigemptyset(&held);
        sigaddset(&held, SIGINT);
        sigprocmask(SIG_BLOCK, &held, &mask_);
        sigaction(SIGINT, &action, &before_);
    }
    CtrlC(const CtrlC&) = delete;
    CtrlC& operator=(const CtrlC&) = delete;
    ~CtrlC()
    {
        sigaction(SIGINT, &before_, nullptr);
        sigprocmask(SIG_SETMASK, &mask_, nullptr);
    }

private:
    struct sigaction before_ {};
    sigset_t mask_;
};

// Beside Readline's own settings of the terminal: a read takes what is there and never waits.
// For Ctrl-C has the terminal forget keys that poll() has told of.
void prepare_terminal(int meta)
{
    rl_prep_terminal(meta);
    termios settings;
    if (tcgetattr(STDIN_FILENO, &settings) != 0)
        return;
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
}

// What poll() tells of the terminal; 0: Ctrl-C was pressed instead.
short wait_for_key()
{
    sigset_t mask;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    sigdelset(&mask, SIGINT);
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (interrupted == 0) {
        if (ppoll(&input, 1, nullptr, &mask) > 0)
            return input.revents;
        if (errno != EINTR)
            return POLLERR;
        rl_check_signals();  // the size of the terminal
    }
    return 0;
}

// Readline waits by itself where it asks whether to show all candidates, and the like.
int read_key(FILE*)
{
    constexpr int abort_key = 'G' & 0x1f;
    for (;;) {
        const short events = wait_for_key();
        if (events == 0)
            return abort_key;
        unsigned char key;
        const ssize_t count = read(STDIN_FILENO, &key, 1);
        if (count == 1)
            return key;
        if (count == 0 ? (events & (POLLHUP | POLLERR)) != 0 : errno != EINTR)
            return EOF;
    }
}

void take_line(char* text)
{
    // Else there would be a new prompt.
    rl_callback_handler_remove();
    line_is_complete = true;
    if (text == nullptr)
        return;
    line = text;
    std::free(text);
}

// What was typed is forgotten, and what Readline was in the middle of.
void drop_line()
{
    rl_callback_sigcleanup();
    rl_echo_signal_char(SIGINT);
    RL_UNSETSTATE(RL_STATE_MULTIKEY);
    rl_free_line_state();
    rl_callback_handler_remove();
    using_history();  // its end again
    rl_crlf();
}

// Sets `line`.
void read_on_terminal(const std::string& prompt)
{
    const CtrlC ctrl_c;
    line.reset();
    line_is_complete = false;
    rl_callback_handler_install(prompt.c_str(), take_line);
    while (!line_is_complete) {
        if (wait_for_key() != 0)
            rl_callback_read_char();
        if (interrupted == 0 || line_is_complete)
            continue;
        interrupted = 0;
        drop_line();
        rl_callback_handler_install(prompt.c_str(), take_line);
    }
}

// $XDG_STATE_HOME/lkl/history, where the XDG base directory specification has it.
std::string find_history_file()
{
    const char* const state = std::getenv("XDG_STATE_HOME");
    const char* const home = std::getenv("HOME");
    std::filesystem::path directory;
    if (state != nullptr && *state == '/')
        directory = state;
    else if (home != nullptr && *home == '/')
        directory = std::filesystem::path(home) / ".local/state";
    else
        return {};
    directory /= "lkl";
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    return error ? std::string() : (directory / "history").string();
}

// Readline's loop over candidates: a copy of each, that it frees.
char* next_candidate(const char*, int state)
{
    static size_t next;
    if (state == 0)
        next = 0;
    return next < candidates.size() ? strdup(candidates[next++].c_str()) : nullptr;
}

// Of the first word, commands; of others, paths of the image, or of the host where the
// command wants these.
char** complete(const char* text, int start, int)
{
    const std::string before(rl_line_buffer, static_cast<size_t>(start));
    candidates.clear();
    const bool first = before.find_first_not_of(' ') == std::string::npos;
    if (first) {
        for (const std::string& name : command_names) {
            if (name.starts_with(text))
                candidates.push_back(name);
        }
    } else if (before.starts_with("lcd ") || before.starts_with("put ") ||
               before.starts_with("!")) {
        return nullptr;  // Readline completes names of the host
    } else {
        rl_filename_completion_desired = 1;
        for (std::string& path : complete_path(text)) {
            // What would drive the terminal is not offered.
            if (escaped(path) == path)
                candidates.push_back(std::move(path));
        }
    }
    rl_attempted_completion_over = 1;
    if (!candidates.empty() && candidates.front().ends_with('/'))
        rl_completion_append_character = '\0';
    return rl_completion_matches(text, next_candidate);
}

}  // namespace

LineInput::LineInput(std::vector<std::string> commands,
                     std::function<std::vector<std::string>(const std::string&)> complete_with)
    : terminal_(isatty(STDIN_FILENO) == 1)
{
    if (!terminal_)
        return;
    command_names = std::move(commands);
    complete_path = std::move(complete_with);
    rl_readline_name = "lkl";
    rl_catch_signals = 0;
    rl_prep_term_function = prepare_terminal;
    rl_getc_function = read_key;
    rl_attempted_completion_function = complete;
    rl_completer_quote_characters = "\"'";
    rl_filename_quote_characters = " \t\"'\\";
    history_file_ = find_history_file();
    using_history();
    stifle_history(most_lines);
    if (!history_file_.empty())
        (void)read_history(history_file_.c_str());
}

LineInput::~LineInput()
{
    complete_path = {};
    if (!terminal_ || history_file_.empty())
        return;
    // What was typed is nobody else's business.
    const mode_t mask = umask(077);
    (void)write_history(history_file_.c_str());
    umask(mask);
}

std::optional<std::string> LineInput::read(const std::string& prompt)
{
    if (!terminal_) {
        std::string text;
        if (!std::getline(std::cin, text))
            return std::nullopt;
        return text;
    }
    read_on_terminal(prompt);
    if (!line) {
        std::cout << '\n' << std::flush;
        return std::nullopt;
    }
    if (line->find_first_not_of(" \t") != std::string::npos)
        add_history(line->c_str());
    return line;
}

}  // namespace tools::lkl_tool
