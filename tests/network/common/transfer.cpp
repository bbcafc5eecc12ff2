// SPDX-License-Identifier: GPL-2.0-only
#include "transfer.hpp"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

namespace lkl::test {

namespace {

constexpr size_t chunk = 256 << 10;

// A long sequence whose every part is different: what is lost, doubled or put in the
// wrong order shows.
class Sequence {
public:
    void fill(void* to, size_t size)
    {
        auto* at = static_cast<char*>(to);
        while (size != 0) {
            state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
            const uint64_t value = state_ ^ (state_ >> 29);
            const size_t part = std::min(size, sizeof value);
            std::memcpy(at, &value, part);
            at += part;
            size -= part;
        }
    }

private:
    uint64_t state_ = 88172645463325252ull;
};

std::string receive(Stack& stack, long listener, uint64_t bytes)
{
    const long fd = stack.accept(listener);
    if (fd < 0)
        return "accept: " + std::to_string(fd);
    std::vector<char> got(chunk), wanted(chunk);
    Sequence sequence;
    std::string error;
    for (uint64_t done = 0; done < bytes && error.empty();) {
        const size_t part = std::min<uint64_t>(chunk, bytes - done);
        sequence.fill(wanted.data(), part);
        if (!stack.recv_all(fd, got.data(), part))
            error = "the connection ended after " + std::to_string(done) + " bytes";
        else if (std::memcmp(got.data(), wanted.data(), part) != 0)
            error = "wrong bytes after " + std::to_string(done);
        done += part;
    }
    if (error.empty() && stack.recv(fd, got.data(), 1) != 0)
        error = "more bytes than were sent";
    stack.close(fd);
    return error;
}

}  // namespace

std::string transfer(Stack& from, Stack& to, const Place& place, uint64_t bytes)
{
    uint16_t port = 0;
    const long listener = to.listen_on(place.listens, port);
    if (listener < 0)
        return "listen: " + std::to_string(listener);
    std::string error;
    const long fd = from.connect_to(place.reached, port);
    if (fd < 0) {
        to.close(listener);
        return "connect: " + std::to_string(fd);
    }
    std::thread receiver([&] { error = receive(to, listener, bytes); });
    std::vector<char> data(chunk);
    Sequence sequence;
    bool good = true;
    for (uint64_t done = 0; done < bytes && good; done += chunk) {
        const size_t part = std::min<uint64_t>(chunk, bytes - done);
        sequence.fill(data.data(), part);
        good = from.send_all(fd, data.data(), part);
    }
    from.close(fd);
    receiver.join();
    to.close(listener);
    if (error.empty() && !good)
        error = "send failed";
    return error;
}

std::string ping_pong(Stack& from, Stack& to, const Place& place, int times)
{
    uint16_t port = 0;
    const long listener = to.listen_on(place.listens, port);
    const long fd = listener < 0 ? listener : from.connect_to(place.reached, port);
    if (fd < 0)
        return "connect: " + std::to_string(fd);
    std::thread echo([&] {
        const long peer = to.accept(listener);
        char byte = 0;
        while (to.recv(peer, &byte, 1) == 1)
            to.send(peer, &byte, 1);
        to.close(peer);
    });
    std::string error;
    for (int i = 0; i < times && error.empty(); ++i) {
        const char byte = static_cast<char>(i);
        char answer = 0;
        if (from.send(fd, &byte, 1) != 1 || from.recv(fd, &answer, 1) != 1 || answer != byte)
            error = "no answer to byte " + std::to_string(i);
    }
    from.close(fd);
    echo.join();
    to.close(listener);
    return error;
}

}  // namespace lkl::test
