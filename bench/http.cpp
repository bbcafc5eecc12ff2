// SPDX-License-Identifier: GPL-2.0-only
// nginx under `lkl run`, asked by wrk over a tap interface; the peer is the same nginx with
// the same settings on the host's stack, in another network namespace that a veth pair joins.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "figures.hpp"
#include "harness.hpp"
#include "stacks.hpp"

namespace bench {

namespace {

constexpr uint16_t port = 80;
constexpr size_t page_bytes = 612;  // as nginx's own first page
constexpr const char* tap = "lklbench";
constexpr const char* tap_host = "10.9.1.1";
constexpr const char* tap_ours = "10.9.1.2";
constexpr const char* veth_near = "10.9.2.1";
constexpr const char* veth_far = "10.9.2.2";

// A directory of files for nginx, with its settings: one process, since our stack belongs
// to one.
std::string make_site(const std::string& directory)
{
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/page") << std::string(page_bytes, 'x');
    std::ofstream settings(directory + "/nginx.conf");
    settings << "daemon off; master_process off; user root; pid " << directory << "/pid;\n"
             << "error_log " << directory << "/error; events { worker_connections 1024; }\n"
             << "http { access_log off; root " << directory << "; sendfile on;\n"
             << "keepalive_requests 1000000000; tcp_nodelay on;\n";
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        settings << kind << "_temp_path " << directory << "/scratch;\n";
    settings << "server { listen " << port << "; } }\n";
    settings.close();
    if (!settings)
        throw std::runtime_error("cannot write " + directory);
    return directory + "/nginx.conf";
}

void wait_until_served(Background& server, const char* address)
{
    Host host;
    for (int tries = 0; tries < 300 && server.running(); ++tries) {
        const long fd = must(host.socket(SOCK_STREAM), "socket");
        const long result = host.connect(fd, to_address(address, port));
        host.close(fd);
        if (result == 0)
            return;
        ::usleep(50'000);
    }
    throw std::runtime_error(std::string("nginx does not serve at ") + address);
}

// Requests a second.
double ask(const char* address, int connections)
{
    const std::string text = output_of({"wrk", "-t", "1", "-c", std::to_string(connections), "-d",
                                        "2s", std::string("http://") + address + "/page"});
    const std::string label = "Requests/sec:";
    const size_t at = text.find(label);
    if (at == std::string::npos || text.find("Non-2xx") != std::string::npos ||
        text.find("Socket errors") != std::string::npos)
        throw std::runtime_error("wrk has failed: " + text);
    return std::stod(text.substr(at + label.size()));
}

void measure(Run& run)
{
    const std::string settings = make_site(run.directory + "/site");
    Host host;
    run_program({"ip", "tuntap", "add", tap, "mode", "tap"});
    configure(host, tap, tap_host);
    Background ours({run.programs + "/lkl", "run", "--net", std::string("tap:") + tap, "--ip",
                     std::string(tap_ours) + "/24", "--", "nginx", "-c", settings});
    FarHost far;
    join_by_veth(host, veth_near, far, veth_far);
    Background peer(
        {"nsenter", "-t", far.tid(), "-n", "nginx", "-c", make_site(run.directory + "/peer-site")});
    wait_until_served(ours, tap_ours);
    wait_until_served(peer, veth_far);
    for (const int connections : {1, 256}) {
        run.add(
            {.name = "HTTP requests to nginx, " + std::to_string(connections) +
                     (connections == 1 ? " connection" : " connections"),
             .unit = "1/s",
             .peer_name = "nginx on the host's stack over veth",
             .target = ratio_at_least(0.6)},
            [&] { return ask(tap_ours, connections); }, [&] { return ask(veth_far, connections); });
    }
}

}  // namespace

void measure_http(Run& run)
{
    for (const char* program : {"ip", "nginx", "nsenter", "wrk"})
        need_program(program);
    in_new_namespace([&run] { measure(run); });
}

}  // namespace bench
