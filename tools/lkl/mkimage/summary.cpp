// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/summary.hpp"

namespace tools::mkimage {

namespace {

void add_text(JsonObject& object, const char* name, const std::string& text)
{
    if (!text.empty())
        object.set(name, text);
}

JsonObject volume_json(const Volume& volume, const MadeVolume& made)
{
    JsonObject object;
    object.set("fs", volume.type);
    object.set("size", made.size);
    add_text(object, "label", volume.label);
    add_text(object, "uuid", volume.uuid);
    add_text(object, "source", volume.source);
    if (made.files > 0) {
        object.set("files", made.files);
        object.set("directories", made.directories);
        object.set("symlinks", made.symlinks);
        object.set("other", made.other);
        object.set("bytes", made.bytes);
    }
    return object;
}

JsonObject partition_json(size_t number, const PlacedPartition& placed, const MadeVolume& made)
{
    const PartitionRequest& request = *placed.request;
    JsonObject object;
    object.set("number", number);
    object.set("offset", placed.offset);
    object.set("size", placed.size);
    object.set("type", placed.type);
    add_text(object, "partuuid", placed.uuid);
    add_text(object, "name", request.name);
    object.set("bootable", request.bootable);
    object.set("file-system", volume_json(request.volume, made));
    return object;
}

}  // namespace

JsonObject to_json(const Summary& summary)
{
    JsonObject object;
    object.set("image", summary.image);
    object.set("size", summary.size);
    if (summary.table == Table::none) {
        object.set("file-system", volume_json(summary.partitions.front().request->volume,
                                              summary.volumes.front()));
        return object;
    }
    object.set("table", summary.table == Table::gpt ? "gpt" : "mbr");
    object.set("uuid", summary.uuid);
    std::vector<JsonObject> partitions;
    for (size_t i = 0; i < summary.partitions.size(); i++)
        partitions.push_back(partition_json(i + 1, summary.partitions[i], summary.volumes[i]));
    object.set("partitions", partitions);
    return object;
}

}  // namespace tools::mkimage
