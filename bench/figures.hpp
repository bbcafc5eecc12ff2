// SPDX-License-Identifier: GPL-2.0-only
// The groups of figures, one a file.
#pragma once

namespace bench {

class Run;

void measure_calls(Run& run);
void measure_boot(Run& run);
void measure_debug_boot(Run& run);
void measure_first_file(Run& run);
void measure_switch(Run& run);
void measure_pipes(Run& run);
void measure_idle(Run& run);
void measure_sequential(Run& run);
void measure_random(Run& run);
void measure_archive(Run& run);
void measure_copy(Run& run);
void measure_fuse(Run& run);
void measure_sync(Run& run);
void measure_snapshot(Run& run);
void measure_crypto(Run& run);
void measure_network(Run& run);
void measure_http(Run& run);
void measure_connections(Run& run);
void measure_congestion(Run& run);

}  // namespace bench
