// An event dispatcher that takes its time to be woken by another thread, and notices when it is destroyed
// meanwhile. It has no loop.

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::condition_variable changed;
// How many threads are waking it.
int waking = 0;
bool was_woken = false;
bool is_destroyed = false;
bool destroyed_while_woken = false;

class SlowDispatcher final : public QAbstractEventDispatcher {
public:
    ~SlowDispatcher() override {
        std::lock_guard<std::mutex> lock(mutex);
        is_destroyed = true;
        destroyed_while_woken = waking > 0;
        changed.notify_all();
    }

    void wakeUp() override {
        if (std::this_thread::get_id() == own) {
            return;
        }
        std::unique_lock<std::mutex> lock(mutex);
        ++waking;
        was_woken = true;
        changed.notify_all();
        // Long enough for the application to be destroyed, where nothing prevents it.
        changed.wait_for(lock, std::chrono::milliseconds(200), [] { return is_destroyed; });
        --waking;
    }

    bool processEvents(QEventLoop::ProcessEventsFlags) override { return false; }
    void interrupt() override {}
    void registerSocketNotifier(QSocketNotifier *) override {}
    void unregisterSocketNotifier(QSocketNotifier *) override {}
    bool unregisterTimer(int) override { return false; }
    bool unregisterTimers(QObject *) override { return false; }
    QList<TimerInfo> registeredTimers(QObject *) const override { return {}; }
    int remainingTime(int) override { return -1; }
#if QT_VERSION >= QT_VERSION_CHECK(6, 0, 0)
    void registerTimer(int, qint64, Qt::TimerType, QObject *) override {}
#else
    void registerTimer(int, int, Qt::TimerType, QObject *) override {}
    bool hasPendingEvents() override { return false; }
    void flush() override {}
#endif

private:
    const std::thread::id own = std::this_thread::get_id();
};

} // namespace

extern "C" {

// The next application of this thread gets it.
void qt_slow_dispatcher_install() { QCoreApplication::setEventDispatcher(new SlowDispatcher); }

// Waits until another thread wakes it.
void qt_slow_dispatcher_wait() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [] { return waking > 0; });
}

bool qt_slow_dispatcher_was_woken() {
    std::lock_guard<std::mutex> lock(mutex);
    return was_woken;
}

bool qt_slow_dispatcher_was_destroyed_while_woken() {
    std::lock_guard<std::mutex> lock(mutex);
    return destroyed_while_woken;
}
}
