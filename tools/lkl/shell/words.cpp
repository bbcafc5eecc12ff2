// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/shell/words.hpp"

#include <utility>

#include "common/report.hpp"

namespace tools::lkl_tool {

std::vector<std::string> split_words(const std::string& line)
{
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (size_t i = 0; i < line.size(); i++) {
        const char c = line[i];
        if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
            word += line[++i];
            in_word = true;
        } else if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (in_word)
                words.push_back(std::move(word));
            word.clear();
            in_word = false;
        } else if (c == '#' && !in_word) {
            break;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0)
        throw ToolError(ExitCode::usage, std::string("a ") + quote + " is missing at the end");
    if (in_word)
        words.push_back(std::move(word));
    return words;
}

}  // namespace tools::lkl_tool
