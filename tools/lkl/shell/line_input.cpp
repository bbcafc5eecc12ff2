// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/shell/line_input.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>

#include <readline/history.h>
#include <readline/readline.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools::lkl_tool {

namespace {

constexpr int most_lines = 1000;  // of the history

// For Readline's functions, which are C and know no object.
std::vector<std::string> command_names;
std::function<std::vector<std::string>(const std::string&)> complete_path;
std::vector<std::string> candidates;

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
    const std::string line(rl_line_buffer, static_cast<size_t>(start));
    candidates.clear();
    const bool first = line.find_first_not_of(' ') == std::string::npos;
    if (first) {
        for (const std::string& name : command_names) {
            if (name.starts_with(text))
                candidates.push_back(name);
        }
    } else if (line.starts_with("lcd ") || line.starts_with("put ") || line.starts_with("!")) {
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
    std::string line;
    if (!terminal_) {
        if (!std::getline(std::cin, line))
            return std::nullopt;
        return line;
    }
    struct Free {
        void operator()(char* text) const { std::free(text); }
    };
    const std::unique_ptr<char, Free> text(readline(prompt.c_str()));
    if (!text) {
        std::cout << '\n' << std::flush;
        return std::nullopt;
    }
    line = text.get();
    if (line.find_first_not_of(" \t") != std::string::npos)
        add_history(line.c_str());
    return line;
}

}  // namespace tools::lkl_tool
