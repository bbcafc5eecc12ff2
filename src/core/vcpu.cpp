// SPDX-License-Identifier: GPL-2.0-only
#include <core/vcpu.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <platform/posix/cpus.hpp>
#include <platform/posix/thread_sanitizer.hpp>

namespace lkl {

namespace {

// Words that the image and the host share.
template <typename T>
std::atomic_ref<T> shared(T& word)
{
    return std::atomic_ref<T>(word);
}

// How long, in nanoseconds, the background thread stays away from the sources after it
// has seen that somebody else looked after them.
constexpr uint64_t watch_pause = 1'000'000;

// How often a thread whose call is complete takes interrupts for others.
constexpr int patience = 4;

VcpuLock::Holder* holder_of(HostThread* thread)
{
    return thread ? &thread->holder : nullptr;
}

}  // namespace

Vcpu::~Vcpu()
{
    stop();
    for (const int fd : {wake_fd_, watch_fd_}) {
        if (fd >= 0)
            ::close(fd);
    }
}

void Vcpu::attach(const lkl_kernel_ops& kernel) noexcept
{
    kernel_ = kernel;
    vcpu_ = kernel.vcpu;
    lock_.attach(vcpu_);
}

// Taken from the kernel while the vCPU is held, told when it is released: the thread
// that wakes may want it at once.
class Vcpu::Done {
public:
    explicit Done(Vcpu& vcpu) noexcept : vcpu_(vcpu), first_(vcpu.vcpu_->done)
    {
        if (first_) [[unlikely]] {
            vcpu.vcpu_->done = nullptr;
            vcpu.telling_.fetch_add(1, std::memory_order_relaxed);
        }
    }
    ~Done()
    {
        if (first_) [[unlikely]]
            tell();
    }
    Done(const Done&) = delete;
    Done& operator=(const Done&) = delete;

private:
    void tell() noexcept
    {
        for (lkl_thread* next = first_; next;) {
            // Who has been told may be gone.
            lkl_thread* thread = next;
            posix::got_from_kernel(thread);
            next = thread->next;
            reinterpret_cast<HostThread*>(thread)->parker.post(done);
        }
        vcpu_.telling_.fetch_sub(1, std::memory_order_release);
    }

    Vcpu& vcpu_;
    lkl_thread* const first_;
};

// Gives the vCPU up, unless interrupts are pending.
bool Vcpu::let_go(HostThread* carrier) noexcept
{
    const Done told(*this);
    return lock_.release(holder_of(carrier));
}

// The interrupts for which let_go() has refused are taken, in the kernel.
long Vcpu::take_interrupts(HostThread* carrier) noexcept
{
    lock_.silence();
    return kernel_.run(carrier ? &carrier->shared : nullptr);
}

// Gives the vCPU up whatever the kernel is at. Interrupts that came late are taken
// first; if they do not end, or leave work over, somebody else is sent in.
void Vcpu::release(HostThread* carrier) noexcept
{
    for (int round = 0; !let_go(carrier); ++round) {
        if (carrier && round == patience)
            return hand_over(carrier);
        const long reason = take_interrupts(carrier);
        if (reason == LKL_EXIT_DEAD)
            return;
        if (reason == LKL_EXIT_DONE_MORE)
            return hand_over(carrier);
    }
}

// Gives the vCPU up while tasks are runnable: the background thread carries on.
void Vcpu::hand_over(HostThread* carrier) noexcept
{
    const Done told(*this);
    shared(vcpu_->pending).fetch_or(1ul << LKL_IRQ_RESCHED, std::memory_order_seq_cst);
    lock_.release_pending(holder_of(carrier));
    kick();
}

void Vcpu::raise(unsigned irq) noexcept
{
    shared(vcpu_->pending).fetch_or(1ul << irq, std::memory_order_seq_cst);
    if (!lock_.ring())
        return;
    if (HostThread* idle = idle_.exchange(nullptr, std::memory_order_seq_cst))
        idle->parker.post(enter);
    else
        kick();
}

// Wakes the background thread; it looks at everything when it wakes.
void Vcpu::kick() noexcept
{
    if (wake_sent_.exchange(true, std::memory_order_seq_cst))
        return;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_fd_, &one, sizeof one);
}

void Vcpu::timer_arm(uint64_t deadline) noexcept
{
    deadline_.store(deadline, std::memory_order_seq_cst);
    if (deadline < asleep_until_.load(std::memory_order_seq_cst))
        kick();
    keeper_.armed(deadline);
}

// After the interrupt: whoever finds no deadline finds that. The deadline that the kernel
// sets when it takes the interrupt is another one, since it is later than that moment,
// which is not before this one.
void Vcpu::forget(uint64_t deadline) noexcept
{
    deadline_.compare_exchange_strong(deadline, posix::never, std::memory_order_seq_cst);
}

void Vcpu::died(lkl_death why) noexcept
{
    const Done told(*this);  // before anybody knows, see park()
    death_ = why;
    dead_.store(true, std::memory_order_release);
    std::lock_guard lock(parked_mutex_);
    for (HostThread* thread : parked_)
        thread->parker.post(ended);
    kick();
}

long Vcpu::dead_result() const noexcept
{
    return death_ == LKL_DEATH_HALT ? -ESHUTDOWN : -EIO;
}

// Asks whoever holds the vCPU to let the thread's task in.
void Vcpu::enlist(HostThread& thread) noexcept
{
    auto entries = shared(vcpu_->entries);
    lkl_thread* head = entries.load(std::memory_order_relaxed);
    do {
        thread.shared.next = head;
        posix::give_to_kernel(&thread.shared);
    } while (!entries.compare_exchange_weak(head, &thread.shared, std::memory_order_release,
                                            std::memory_order_relaxed));
    raise(LKL_IRQ_ENTRY);
}

long Vcpu::run_request(HostThread& thread) noexcept
{
    if (lock_.acquire(&thread.holder)) [[likely]]
        return carry(thread, kernel_.enter(&thread.shared));
    if (dead())
        return dead_result();
    enlist(thread);
    return park(thread, false);
}

// The caller holds the vCPU and has just come out of the image.
long Vcpu::carry(HostThread& thread, long reason) noexcept
{
    for (;;) {
        if (reason == LKL_EXIT_DONE) [[likely]] {
            if (!let_go(&thread)) [[unlikely]]
                release(&thread);
            return thread.shared.ret;
        }
        switch (reason) {
        case LKL_EXIT_DONE_MORE:
            hand_over(&thread);
            return thread.shared.ret;
        case LKL_EXIT_IDLE:
            ++idle_times_;
            idle_.store(&thread, std::memory_order_seq_cst);
            lock_.unbias(&thread.holder);
            if (let_go(&thread))
                return park(thread, true);
            idle_.store(nullptr, std::memory_order_relaxed);
            reason = take_interrupts(&thread);
            break;
        default:
            // Held for ever, and by nobody in particular: no thread may enter.
            lock_.unbias(&thread.holder);
            return dead_result();
        }
    }
}

// Sleeps until the thread's request is complete, or carries again when the kernel
// needs it. idle: the kernel was idle when the caller gave the vCPU up.
long Vcpu::park(HostThread& thread, bool idle) noexcept
{
    {
        std::lock_guard lock(parked_mutex_);
        parked_.push_back(&thread);
    }
    bool carrying = false;
    uint32_t bits = 0;
    while (!carrying && !(bits & (done | ended))) {
        const uint64_t deadline = idle ? deadline_.load(std::memory_order_seq_cst) : posix::never;
        if (dead())
            bits = ended;
        else
            bits = idle ? wait_watching(thread, deadline) : thread.parker.wait(deadline);
        if (bits & (done | ended))
            break;
        if (bits == 0)
            shared(vcpu_->pending).fetch_or(1ul << LKL_IRQ_TIMER, std::memory_order_seq_cst);
        if (!lock_.acquire(&thread.holder)) {
            // Somebody else carries, and takes the interrupt before leaving.
            idle = false;
            if (bits == 0)
                raise(LKL_IRQ_TIMER);
            continue;
        }
        // The one who carried before may have completed our request; it says so, or is
        // just about to.
        bits = thread.parker.take();
        if ((bits & done) || thread.shared.complete) {
            release(&thread);
            idle = false;
        } else {
            carrying = true;
        }
    }
    // Who leaves because of the end may be on a list of threads to tell still, and be gone
    // before its turn. All lists there are were taken before the end was known.
    if (bits & ended) [[unlikely]] {
        while (telling_.load(std::memory_order_acquire) != 0)
            std::this_thread::yield();
        bits |= thread.parker.take();
    }
    HostThread* self = &thread;
    idle_.compare_exchange_strong(self, nullptr, std::memory_order_seq_cst);
    {
        std::lock_guard lock(parked_mutex_);
        parked_.erase(std::find(parked_.begin(), parked_.end(), &thread));
    }
    if (carrying)
        return carry(thread, kernel_.run(&thread.shared));
    if (!(bits & done))
        return dead_result();
    thread.shared.complete = 0;
    return thread.shared.ret;
}

int Vcpu::boot(HostThread& thread)
{
    wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd_ < 0 || watch_fd_ < 0)
        return errno;

    // The caller keeps the vCPU until process 1 runs, and waits for the kernel's timer
    // where there is nothing to run. While there is, the background thread raises it.
    lock_.hold_initially();
    if (const int error = start_background())
        return error;
    long reason = kernel_.boot();
    while (!booted_ && reason == LKL_EXIT_IDLE) {
        if (!shared(vcpu_->pending).load()) {
            const uint64_t deadline = deadline_.load();
            if (deadline == posix::never)
                return EIO;
            thread.parker.wait(deadline);
            shared(vcpu_->pending).fetch_or(1ul << LKL_IRQ_TIMER);
        }
        reason = kernel_.run(nullptr);
    }
    if (reason == LKL_EXIT_DEAD)
        return death_ == LKL_DEATH_HALT ? ESHUTDOWN : EIO;
    release(nullptr);
    return 0;
}

int Vcpu::start_background()
{
    // The background thread handles none of the program's signals. Faults of the
    // system calls that it carries are not the program's; blocked, they kill it.
    sigset_t all, old;
    ::sigfillset(&all);
    ::sigdelset(&all, SIGSEGV);
    ::sigdelset(&all, SIGBUS);
    ::pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = 0;
    try {
        thread_ = std::thread(&Vcpu::background, this);
    } catch (const std::system_error& failure) {
        error = failure.code().value();
    }
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
    return error;
}

void Vcpu::stop() noexcept
{
    if (!thread_.joinable())
        return;
    stop_.store(true, std::memory_order_seq_cst);
    kick();
    thread_.join();
}

void Vcpu::add_source(posix::EventSource* source)
{
    source->set_watcher(this);
    {
        std::lock_guard lock(sources_mutex_);
        sources_.push_back(source);
        has_sources_ = true;
    }
    look_again();
}

void Vcpu::remove_source(posix::EventSource* source)
{
    // ready() runs under the lock: after this it is over.
    {
        std::lock_guard lock(sources_mutex_);
        std::erase(sources_, source);
        has_sources_ = !sources_.empty();
    }
    source->set_watcher(nullptr);
    look_again();
}

// After a change of the sources. Who watches from now on lists them anew; who sleeps in
// poll(2) is woken to do so.
void Vcpu::look_again() noexcept
{
    asked_.store(true, std::memory_order_seq_cst);
    if (watching_.load(std::memory_order_seq_cst)) {
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(watch_fd_, &one, sizeof one);
    }
    kick();
}

// With one CPU to share, another thread is a detour.
bool Vcpu::takes_over() const noexcept
{
    return std::this_thread::get_id() != thread_.get_id() && posix::cpus() > 1;
}

void Vcpu::serve_pending() noexcept
{
    const std::lock_guard lock(sources_mutex_);
    for (posix::EventSource* source : sources_) {
        if (source->poll_fd() >= 0 && source->pending())
            source->ready();
    }
}

void Vcpu::Poll::prepare(int wake_fd, bool with_sources)
{
    fds_.assign(1, {wake_fd, POLLIN, 0});
    listed_.clear();
    pending_ = false;
    if (!with_sources)
        return;
    const std::lock_guard lock(vcpu_.sources_mutex_);
    for (posix::EventSource* source : vcpu_.sources_) {
        const short events = source->events();
        const bool pending = source->pending();
        if (source->poll_fd() < 0 || (!events && !pending))
            continue;
        fds_.push_back({events ? source->poll_fd() : -1, events, 0});
        listed_.push_back(source);
        pending_ |= pending;
    }
}

bool Vcpu::Poll::wait(uint64_t deadline) noexcept
{
    timespec left{};
    const timespec* limit = nullptr;
    if (pending_ || deadline == 0) {
        limit = &left;
    } else if (deadline != posix::never) {
        const uint64_t now = posix::monotonic_now();
        const uint64_t ns = deadline > now ? deadline - now : 0;
        left.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
        left.tv_nsec = static_cast<long>(ns % 1'000'000'000);
        limit = &left;
    }
    const int n = ::ppoll(fds_.data(), fds_.size(), limit, nullptr);
    if (n < 0) {
        for (pollfd& fd : fds_)
            fd.revents = 0;
    }
    if (woken()) {
        uint64_t count = 0;
        [[maybe_unused]] const ssize_t read = ::read(fds_[0].fd, &count, sizeof count);
    }
    return pending_ || n > (woken() ? 1 : 0);
}

void Vcpu::Poll::serve() noexcept
{
    const std::lock_guard lock(vcpu_.sources_mutex_);
    const auto& sources = vcpu_.sources_;
    for (size_t i = 0; i < listed_.size(); ++i) {
        // It may have been removed meanwhile.
        if (std::find(sources.begin(), sources.end(), listed_[i]) != sources.end() &&
            (fds_[i + 1].revents || listed_[i]->pending()))
            listed_[i]->ready();
    }
}

bool Vcpu::poll(uint64_t deadline) noexcept
{
    watch_poll_.prepare(watch_fd_, true);
    return watch_poll_.wait(deadline);
}

void Vcpu::serve() noexcept
{
    watch_poll_.serve();
}

// Waits for messages to the thread, which looks after the sources meanwhile unless
// another one does.
uint32_t Vcpu::wait_watching(HostThread& thread, uint64_t deadline) noexcept
{
    if (!has_sources_.load(std::memory_order_relaxed) ||
        watching_.exchange(true, std::memory_order_seq_cst))
        return thread.parker.wait(deadline);
    watches_.fetch_add(1, std::memory_order_seq_cst);
    const uint32_t bits = thread.parker.wait(deadline, this);
    watching_.store(false, std::memory_order_seq_cst);
    if (away_.load(std::memory_order_seq_cst) && away_.exchange(false))
        kick();
    return bits;
}

// What the background thread has to do with the sources at present.
Vcpu::Duty Vcpu::background_duty() noexcept
{
    const uint64_t seen = watches_seen_;
    watches_seen_ = watches_.load(std::memory_order_seq_cst);
    const bool watched = watching_.load(std::memory_order_seq_cst);
    if (watches_seen_ != seen)
        return Duty::soon;
    if (!watched)
        return Duty::sources;
    away_.store(true, std::memory_order_seq_cst);
    if (watching_.load(std::memory_order_seq_cst))
        return Duty::none;
    away_.store(false, std::memory_order_seq_cst);
    return Duty::soon;
}

void Vcpu::wait_for_events(uint64_t deadline, std::unique_lock<std::mutex>& working) noexcept
{
    Duty duty = has_sources_ ? background_duty() : Duty::none;
    // Before the list is made: who asks later has it made anew.
    if (duty != Duty::none && asked_.exchange(false, std::memory_order_seq_cst))
        duty = Duty::sources;
    if (duty == Duty::soon)
        deadline = std::min(deadline, posix::monotonic_now() + watch_pause);
    background_poll_.prepare(wake_fd_, duty == Duty::sources);
    working.unlock();
    const bool found = background_poll_.wait(deadline);
    working.lock();
    // After the read, so that a kick from now on writes again.
    if (background_poll_.woken())
        wake_sent_.store(false, std::memory_order_seq_cst);
    if (found && !watching_.load(std::memory_order_seq_cst))
        background_poll_.serve();
}

// The carrier of last resort: timers and devices when no application thread is in
// the kernel, and work that an application thread leaves behind. A dead kernel has
// nothing to do, but may come back (Pause).
void Vcpu::background() noexcept
{
    ::pthread_setname_np(::pthread_self(), "lkl");
    ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    std::unique_lock working(background_mutex_);
    while (!stop_.load(std::memory_order_seq_cst)) {
        uint64_t deadline = dead() ? posix::never : deadline_.load(std::memory_order_seq_cst);
        asleep_until_.store(deadline, std::memory_order_seq_cst);
        // An earlier one may have been set in between, without a kick.
        if (!dead() && deadline_.load(std::memory_order_seq_cst) < deadline)
            continue;
        wait_for_events(deadline, working);
        if (dead())
            continue;

        if (deadline <= posix::monotonic_now() &&
            deadline_.load(std::memory_order_seq_cst) == deadline) {
            shared(vcpu_->pending).fetch_or(1ul << LKL_IRQ_TIMER, std::memory_order_seq_cst);
            lock_.ring();
            forget(deadline);
        }
        if (lock_.pending() && lock_.acquire(nullptr)) {
            // Nobody else may look after what the last carrier left; this one leaves nothing.
            serve_pending();
            const Timekeeper::Turn turn(keeper_);
            const long reason = kernel_.run(nullptr);
            idle_times_ += reason == LKL_EXIT_IDLE;
            if (reason != LKL_EXIT_DEAD)
                release(nullptr);
        }
    }
}

// Without a Holder the lock is taken without a bias, and a bias that there was is
// revoked: the shared word is HELD and nothing else, in every pause.
Vcpu::Pause::Pause(Vcpu& vcpu) noexcept : vcpu_(vcpu), background_(vcpu.background_mutex_)
{
    // Of a dead kernel the lock is held for ever, by nobody: it falls to us.
    holds_ = vcpu_.dead() || vcpu_.lock_.acquire(nullptr);
}

bool Vcpu::Pause::interrupted() const noexcept
{
    return shared(vcpu_.vcpu_->pending).load(std::memory_order_seq_cst) != 0;
}

bool Vcpu::Pause::settle() noexcept
{
    const Timekeeper::Turn turn(vcpu_.keeper_);
    while (!vcpu_.dead() && vcpu_.take_interrupts(nullptr) != LKL_EXIT_DEAD) {
        if (!interrupted())
            return true;
    }
    return false;
}

void Vcpu::Pause::revive(uint64_t deadline) noexcept
{
    vcpu_.idle_.store(nullptr, std::memory_order_seq_cst);
    vcpu_.deadline_.store(deadline, std::memory_order_seq_cst);
    vcpu_.dead_.store(false, std::memory_order_release);
    // Before anything else it learns how late it is: timers that are set by its old time
    // would be due at once.
    if (deadline <= posix::monotonic_now()) {
        vcpu_.raise(LKL_IRQ_TIMER);
        vcpu_.forget(deadline);
    }
}

Vcpu::Pause::~Pause()
{
    if (holds_ && !vcpu_.dead() && !vcpu_.let_go(nullptr)) {
        const Timekeeper::Turn turn(vcpu_.keeper_);
        vcpu_.release(nullptr);
    }
    // It may sleep until a deadline that is none any more.
    vcpu_.kick();
}

}  // namespace lkl
