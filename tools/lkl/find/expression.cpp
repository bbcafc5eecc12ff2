// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/find/expression.hpp"

#include <charconv>
#include <utility>

#include "common/report.hpp"

namespace tools::lkl_tool {

namespace {

[[noreturn]] void fail(const std::string& text)
{
    throw ToolError(ExitCode::usage, "find: " + text);
}

class Not final : public FindTest {
public:
    explicit Not(std::unique_ptr<FindTest> test) : test_(std::move(test)) {}
    bool matches(const Visit& file, FindContext& context) const override
    {
        return !test_->matches(file, context);
    }

private:
    const std::unique_ptr<FindTest> test_;
};

class Both final : public FindTest {
public:
    Both(std::unique_ptr<FindTest> first, std::unique_ptr<FindTest> second)
        : first_(std::move(first)), second_(std::move(second))
    {
    }
    bool matches(const Visit& file, FindContext& context) const override
    {
        return first_->matches(file, context) && second_->matches(file, context);
    }

private:
    const std::unique_ptr<FindTest> first_;
    const std::unique_ptr<FindTest> second_;
};

class Either final : public FindTest {
public:
    Either(std::unique_ptr<FindTest> first, std::unique_ptr<FindTest> second)
        : first_(std::move(first)), second_(std::move(second))
    {
    }
    bool matches(const Visit& file, FindContext& context) const override
    {
        return first_->matches(file, context) || second_->matches(file, context);
    }

private:
    const std::unique_ptr<FindTest> first_;
    const std::unique_ptr<FindTest> second_;
};

// expression: terms with -o between them; term: factors, with -a between them or
// nothing; factor: ! factor, ( expression ), or a primary.
class Parser {
public:
    Parser(const std::vector<std::string>& words, FindExpression& result)
        : words_(words), result_(result)
    {
    }

    std::unique_ptr<FindTest> parse_all()
    {
        auto test = parse_expression();
        if (!at_end())
            fail(escaped(word()) + ": has no place here");
        return test;
    }

private:
    // Hostile depths are no matter: words come from the command line.
    std::unique_ptr<FindTest> parse_expression()
    {
        auto test = parse_term();
        while (take("-o") || take("-or")) {
            auto other = parse_term();
            if (!test || !other)
                fail("-o: an expression is missing beside it");
            test = std::make_unique<Either>(std::move(test), std::move(other));
        }
        return test;
    }

    std::unique_ptr<FindTest> parse_term()
    {
        std::unique_ptr<FindTest> test;
        while (!at_end() && word() != ")" && word() != "-o" && word() != "-or") {
            if (take("-a") || take("-and")) {
                if (!test || at_end())
                    fail("-a: an expression is missing beside it");
                continue;
            }
            auto other = parse_factor();
            if (!other)
                continue;  // an option
            if (test)
                test = std::make_unique<Both>(std::move(test), std::move(other));
            else
                test = std::move(other);
        }
        return test;
    }

    std::unique_ptr<FindTest> parse_factor()
    {
        if (take("!") || take("-not")) {
            auto test = at_end() ? nullptr : parse_factor();
            if (!test)
                fail("!: an expression is missing behind it");
            return std::make_unique<Not>(std::move(test));
        }
        if (take("(")) {
            auto test = parse_expression();
            if (!test || !take(")"))
                fail("(: an expression and ) are missing behind it");
            return test;
        }
        const std::string name = words_[next_++];
        if (name == "-maxdepth" || name == "-mindepth") {
            (name == "-maxdepth" ? result_.most_depth : result_.least_depth) =
                parse_depth(name, argument(name));
            return nullptr;
        }
        if (name == "-depth") {
            result_.contents_first = true;
            return nullptr;
        }
        if (name == "-json" || name == "--json") {
            result_.json = true;
            return nullptr;
        }
        const FindPrimary* const primary = find_primary(name);
        if (primary == nullptr)
            fail(escaped(name) + ": no such test");
        if (name == "-print" || name == "-print0" || name == "-ls")
            result_.has_action = true;
        return primary->make(primary->takes_argument ? argument(name) : std::string());
    }

    const std::string& argument(const std::string& name)
    {
        if (at_end())
            fail(name + ": an argument is missing");
        return words_[next_++];
    }

    static size_t parse_depth(const std::string& name, const std::string& text)
    {
        size_t depth = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, depth);
        if (text.empty() || error != std::errc() || rest != end)
            fail(name + ' ' + escaped(text) + ": is not a number");
        return depth;
    }

    bool at_end() const { return next_ == words_.size(); }
    const std::string& word() const { return words_[next_]; }
    bool take(const char* wanted)
    {
        if (at_end() || word() != wanted)
            return false;
        next_++;
        return true;
    }

    const std::vector<std::string>& words_;
    FindExpression& result_;
    size_t next_ = 0;
};

}  // namespace

FindExpression parse_find(const std::vector<std::string>& words)
{
    FindExpression expression;
    expression.test = Parser(words, expression).parse_all();
    return expression;
}

}  // namespace tools::lkl_tool
