// SPDX-License-Identifier: GPL-2.0-only
// How much a copy out of an image is going to read, for its progress bar.
#pragma once

#include <functional>

#include "common/progress.hpp"
#include "common/tree/error_texts.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/tree_reader.hpp"

namespace tools {

// read(reader, failures) has the reader give what is going to be copied: it is done once
// more, without the data. Nothing is known where that fails, which the copy itself will
// tell, or takes longer than a second. options: those of the copy.
ProgressTotals tree_totals(const ReadOptions& options, const ErrorTexts& texts,
                           const std::function<void(TreeReader<lkl::File>&, Failures&)>& read);

}  // namespace tools
