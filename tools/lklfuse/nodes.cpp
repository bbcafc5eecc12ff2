// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/nodes.hpp"

#include <cstring>
#include <string_view>

namespace tools::lklfuse {

FileHandle FileHandle::of_inode(uint64_t device, uint64_t inode)
{
    FileHandle handle;
    handle.type = inode_number;
    std::memcpy(handle.data.data(), &device, sizeof(device));
    std::memcpy(handle.data.data() + sizeof(device), &inode, sizeof(inode));
    return handle;
}

size_t NodeTable::Hash::operator()(const FileHandle& handle) const noexcept
{
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(handle.data.data()), handle.data.size()});
}

NodeTable::~NodeTable()
{
    for (auto& [handle, node] : nodes_) {
        if (node.pin >= 0)
            close_pin_(node.pin);
    }
}

int NodeTable::give_pin(Node& node, int pin)
{
    if (pin < 0 || node.pin >= 0)
        return pin;
    node.pin = pin;
    pins_++;
    return -1;
}

Node& NodeTable::look_up(const FileHandle& handle, int pin)
{
    std::unique_lock guard(lock_);
    const auto [place, fresh] = nodes_.try_emplace(handle);
    Node& node = place->second;
    if (fresh)
        node.handle = &place->first;
    node.lookups++;
    const int unused = give_pin(node, pin);
    guard.unlock();
    if (unused >= 0)
        close_pin_(unused);
    return node;
}

bool NodeTable::needs_pin(const FileHandle& handle)
{
    const std::lock_guard guard(lock_);
    const auto found = nodes_.find(handle);
    return found != nodes_.end() && found->second.pin < 0;
}

void NodeTable::pin(const FileHandle& handle, int pin)
{
    std::unique_lock guard(lock_);
    const auto found = nodes_.find(handle);
    const int unused = found == nodes_.end() ? pin : give_pin(found->second, pin);
    guard.unlock();
    if (unused >= 0)
        close_pin_(unused);
}

void NodeTable::forget(Node& node, uint64_t lookups)
{
    int pin = -1;
    {
        const std::lock_guard guard(lock_);
        node.lookups -= lookups;
        if (node.lookups > 0)
            return;
        pin = node.pin;
        gone_(node);
        // By a copy: the key goes with the element.
        nodes_.erase(FileHandle(*node.handle));
    }
    // Not under the lock: the last descriptor of a deleted file frees its blocks.
    if (pin >= 0) {
        pins_--;
        close_pin_(pin);
    }
}

}  // namespace tools::lklfuse
