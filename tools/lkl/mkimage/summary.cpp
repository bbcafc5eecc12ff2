// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/summary.hpp"

#include <nlohmann/json.hpp>

namespace tools::mkimage {

namespace {

using nlohmann::ordered_json;

void add_text(ordered_json& object, const char* name, const std::string& text)
{
    if (!text.empty())
        object[name] = text;
}

ordered_json volume_json(const Volume& volume, const MadeVolume& made)
{
    ordered_json object;
    object["fs"] = volume.type;
    object["size"] = made.size;
    add_text(object, "label", volume.label);
    add_text(object, "uuid", volume.uuid);
    add_text(object, "source", volume.source);
    if (made.files > 0) {
        object["files"] = made.files;
        object["bytes"] = made.bytes;
    }
    return object;
}

ordered_json partition_json(size_t number, const PlacedPartition& placed, const MadeVolume& made)
{
    const PartitionRequest& request = *placed.request;
    ordered_json object;
    object["number"] = number;
    object["offset"] = placed.offset;
    object["size"] = placed.size;
    object["type"] = placed.type;
    add_text(object, "partuuid", placed.uuid);
    add_text(object, "name", request.name);
    object["bootable"] = request.bootable;
    object["file-system"] = volume_json(request.volume, made);
    return object;
}

}  // namespace

std::string to_json(const Summary& summary)
{
    ordered_json object;
    object["image"] = summary.image;
    object["size"] = summary.size;
    if (summary.table == Table::none) {
        object["file-system"] =
            volume_json(summary.partitions.front().request->volume, summary.volumes.front());
    } else {
        object["table"] = summary.table == Table::gpt ? "gpt" : "mbr";
        object["uuid"] = summary.uuid;
        for (size_t i = 0; i < summary.partitions.size(); i++)
            object["partitions"].push_back(
                partition_json(i + 1, summary.partitions[i], summary.volumes[i]));
    }
    return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace tools::mkimage
