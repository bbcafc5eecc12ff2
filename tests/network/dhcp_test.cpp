// SPDX-License-Identifier: GPL-2.0-only
// The DHCP client against a server of the test's own, which reads and writes the bytes of
// RFC 2131 by itself, at the other end of a wire.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/dhcp.hpp>

#include "network/common/inner_network.hpp"

namespace {

using namespace lkl::test;
using Bytes = std::vector<uint8_t>;

constexpr uint8_t discover = 1, offer = 2, request = 3, ack = 5, nak = 6, release = 7;

// What a client has sent.
struct Question {
    Bytes bytes;
    std::map<uint8_t, Bytes> options;

    uint8_t type() const { return options.count(53) != 0 ? options.at(53).at(0) : 0; }
};

Question parse(Bytes bytes)
{
    Question question;
    for (size_t at = 240; at + 1 < bytes.size() && bytes[at] != 255; at += 2 + bytes[at + 1])
        question.options[bytes[at]] =
            Bytes(bytes.begin() + static_cast<long>(at) + 2,
                  bytes.begin() + static_cast<long>(at) + 2 + bytes[at + 1]);
    question.bytes = std::move(bytes);
    return question;
}

// An answer that gives 10.0.0.50 for an hour, and the options that are added.
Bytes answer(const Question& question, uint8_t type, const Bytes& more)
{
    Bytes bytes(240);
    bytes[0] = 2;
    std::memcpy(bytes.data() + 1, question.bytes.data() + 1, 7);  // as asked, and the number
    std::memcpy(bytes.data() + 28, question.bytes.data() + 28, 16);
    std::memcpy(bytes.data() + 236, question.bytes.data() + 236, 4);
    if (type != nak) {
        const uint8_t address[] = {10, 0, 0, 50};
        std::memcpy(bytes.data() + 16, address, 4);
    }
    const Bytes fixed{53, 1, type, 54, 4, 10, 0, 0, 2, 51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 0};
    bytes.insert(bytes.end(), fixed.begin(), fixed.end());
    bytes.insert(bytes.end(), more.begin(), more.end());
    bytes.push_back(255);
    return bytes;
}

const Bytes router_and_more{3, 4, 10, 0,  0, 2,   6,   8,   9,   9,  9, 9, 8,
                            8, 8, 8,  15, 4, 't', 'e', 's', 't', 26, 2, 5, 0};

class Dhcp : public TwoHosts {
protected:
    // Says what is to be sent back; nothing: no answer.
    using Server = std::function<Bytes(const Question&)>;

    Dhcp() { must(far_net.add_address(far, prefix("10.0.0.2/24"))); }
    ~Dhcp() override
    {
        stop_ = true;
        if (thread_.joinable())
            thread_.join();
    }

    void serve(Server server)
    {
        auto socket = far_away([&] {
            Socket socket(kernel, LKL_AF_INET, LKL_SOCK_DGRAM);
            socket.set(LKL_SOL_SOCKET, LKL_SO_BROADCAST, 1);
            return socket;
        });
        ASSERT_EQ(socket.bind(ip("0.0.0.0"), 67), 0);
        thread_ =
            std::thread([this, server = std::move(server), socket = std::move(socket)]() mutable {
                while (!stop_) {
                    Bytes bytes(1500);
                    const long size = socket.receive(bytes.data(), bytes.size(), 20ms);
                    if (size < 240)
                        continue;
                    bytes.resize(static_cast<size_t>(size));
                    const Question question = parse(std::move(bytes));
                    seen.push_back(question.type());
                    const Bytes reply = server(question);
                    if (reply.empty())
                        continue;
                    const bool unicast = question.bytes[12] != 0;
                    far_away([&] {
                        Socket out(kernel, LKL_AF_INET, LKL_SOCK_DGRAM);
                        out.set(LKL_SOL_SOCKET, LKL_SO_BROADCAST, 1);
                        EXPECT_EQ(out.bind(ip("10.0.0.2"), 0), 0);
                        const auto to = ip(unicast ? "10.0.0.50" : "255.255.255.255");
                        EXPECT_EQ(out.connect(to, 68), 0);
                        EXPECT_GT(out.send(reply.data(), reply.size()), 0);
                        return 0;
                    });
                }
            });
    }
    void stop()
    {
        stop_ = true;
        thread_.join();
    }

    static lkl::DhcpOptions patient()
    {
        lkl::DhcpOptions options;
        options.timeout = 30s;
        // Longer than the server's thread may be kept waiting: nothing is asked twice.
        options.first_wait = 10s;
        options.host_name = "guest";
        return options;
    }

    std::vector<uint8_t> seen;  // types of what clients sent; after stop()

private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

TEST_F(Dhcp, ALeaseIsGivenSetRenewedAndReleased)
{
    std::string host_name;
    std::atomic<bool> released = false;
    serve([&](const Question& question) {
        if (question.options.count(12) != 0)
            host_name.assign(question.options.at(12).begin(), question.options.at(12).end());
        switch (question.type()) {
        case discover:
            return answer(question, offer, router_and_more);
        case request:
            return answer(question, ack, router_and_more);
        case release:
            released = true;
            return Bytes();
        default:
            return Bytes();
        }
    });
    const auto lease = lkl::dhcp_request(kernel, near, patient());
    ASSERT_EQ(error_of(lease), "");
    EXPECT_EQ(lease->address, prefix("10.0.0.50/24"));
    EXPECT_EQ(lease->server, ip("10.0.0.2"));
    EXPECT_EQ(lease->router(), ip("10.0.0.2"));
    EXPECT_EQ(lease->name_servers, (std::vector{ip("9.9.9.9"), ip("8.8.8.8")}));
    EXPECT_EQ(lease->domain, "test");
    EXPECT_EQ(lease->mtu, 1280);
    EXPECT_EQ(lease->seconds, 3600u);
    EXPECT_EQ(lease->renew_after, 1800u);
    ASSERT_EQ(error_of(lkl::apply_lease(net, near, *lease)), "");
    EXPECT_EQ(must(net.link(near)).mtu, 1280u);
    EXPECT_LE(must(net.addresses(near)).at(0).valid, 3600u);
    EXPECT_EQ(must(net.route_to(ip("203.0.113.1"))).hops[0].gateway, ip("10.0.0.2"));
    EXPECT_TRUE(round_trip(ip("10.0.0.50"), ip("10.0.0.2")));

    const auto renewed = lkl::dhcp_renew(kernel, near, *lease, patient());
    ASSERT_EQ(error_of(renewed), "");
    EXPECT_EQ(renewed->address, lease->address);
    ASSERT_EQ(error_of(lkl::apply_lease(net, near, *renewed)), "");
    must(lkl::dhcp_release(kernel, near, *renewed));
    for (int i = 0; i < 1000 && !released; ++i)
        std::this_thread::sleep_for(10ms);
    stop();
    EXPECT_EQ(host_name, "guest");
    EXPECT_EQ(seen, (std::vector<uint8_t>{discover, request, request, release}));
}

TEST_F(Dhcp, LostAndRefusedMessagesAreRepeated)
{
    int discovered = 0;
    bool refused = false;
    serve([&](const Question& question) {
        if (question.type() == request)
            return answer(question, std::exchange(refused, true) ? ack : nak, {});
        if (++discovered == 1)
            return Bytes();  // lost
        Bytes given = answer(question, offer, {});
        if (discovered == 2)  // for someone else
            given[4] ^= 1;
        return given;
    });
    auto options = patient();
    options.first_wait = 100ms;
    const auto lease = lkl::dhcp_request(kernel, near, options);
    ASSERT_EQ(error_of(lease), "");
    EXPECT_FALSE(lease->router());
    stop();
    EXPECT_GE(discovered, 4);
    // A server that is kept waiting is asked more often than that.
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    EXPECT_EQ(seen, (std::vector<uint8_t>{discover, request, discover, request}));
}

TEST_F(Dhcp, NoAnswerIsAnError)
{
    auto options = patient();
    options.timeout = 400ms;
    const uint64_t start = now_ns();
    EXPECT_EQ(error_of(lkl::dhcp_request(kernel, near, options)),
              "DHCP on interface " + std::to_string(near) + ": no server answered");
    EXPECT_GE(now_ns() - start, 400'000'000u);
    EXPECT_EQ(code_of(lkl::dhcp_request(kernel, 1, options)), LKL_EINVAL);
    EXPECT_EQ(code_of(lkl::dhcp_request(kernel, 999, options)), LKL_ENODEV);
}

TEST_F(Dhcp, ARefusedRenewalIsToldWithTheServersWords)
{
    serve([](const Question& question) {
        return answer(question, nak, {56, 4, 'g', 'o', 'n', 'e'});
    });
    lkl::DhcpLease lease;
    lease.address = prefix("10.0.0.50/24");
    lease.server = ip("10.0.0.2");
    lease.seconds = 60;
    must(lkl::apply_lease(net, near, lease));
    const auto renewed = lkl::dhcp_renew(kernel, near, lease, patient());
    EXPECT_EQ(code_of(renewed), LKL_EADDRNOTAVAIL);
    EXPECT_NE(error_of(renewed).find("gone"), std::string::npos) << error_of(renewed);
}

TEST_F(Dhcp, ARouterOutsideOfTheNetworkIsReached)
{
    lkl::DhcpLease lease;
    lease.address = prefix("10.0.0.50/32");
    lease.seconds = lkl::Address::forever;
    lease.routes = {{prefix("192.0.2.0/24"), ip("0.0.0.0")}, {prefix("0.0.0.0/0"), ip("10.0.0.2")}};
    must(lkl::apply_lease(net, near, lease));
    EXPECT_EQ(must(net.route_to(ip("203.0.113.1"))).hops[0].gateway, ip("10.0.0.2"));
    EXPECT_FALSE(must(net.route_to(ip("192.0.2.1"))).hops[0].gateway);
    EXPECT_EQ(must(net.addresses(near)).at(0).valid, lkl::Address::forever);
}

}  // namespace
