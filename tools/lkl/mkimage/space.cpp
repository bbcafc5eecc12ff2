// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/space.hpp"

namespace tools::mkimage {

uint64_t needed_bytes(const FileSystem& type, const Contents& contents, uint64_t block_size)
{
    const SpaceModel& model = type.space;
    uint64_t bytes = contents.data.of(block_size);
    bytes += (model.fat ? contents.fat_directories : contents.directories).of(block_size);
    if (!model.fat)
        bytes +=
            (contents.long_links + contents.attributed) * block_size + contents.attribute_bytes;
    bytes += contents.files * model.file + contents.names * model.name +
             contents.name_bytes * model.name_byte + contents.pieces * model.piece;
    if (model.indirect)
        bytes += (contents.long_files * 2 + contents.regions) * block_size;
    return bytes + bytes / 1000 * model.per_mille + model.fixed;
}

uint64_t extra_bytes(const SizeRequest& request, uint64_t needed)
{
    return request.bytes + needed / 100 * request.percent;
}

}  // namespace tools::mkimage
