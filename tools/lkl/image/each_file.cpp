// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/each_file.hpp"

#include <utility>

namespace tools::lkl_tool {

namespace {

class ChangeEach final : public Visitor {
public:
    ChangeEach(bool recursive, const std::function<void(const Visit&)>& change)
        : recursive_(recursive), change_(change)
    {
    }
    bool visit(const Visit& file) override
    {
        change_(file);
        return recursive_;
    }

private:
    const bool recursive_;
    const std::function<void(const Visit&)>& change_;
};

}  // namespace

void change_each_file(const Operand& operand, const EachFileOptions& options, Problems& problems,
                      const std::function<void(const Visit&)>& change)
{
    Place place =
        options.follow ? operand.image->resolve(operand.path) : operand.image->place(operand.path);
    ChangeEach each(options.recursive, change);
    Walk(*operand.image, each, problems).run(std::move(place), operand.path);
}

}  // namespace tools::lkl_tool
