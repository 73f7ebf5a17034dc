// Of Qt, what the comparison needs, as C functions. Unless it says otherwise, a function is called on the thread of the
// application.

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>
#include <QtCore/QSocketNotifier>
#include <QtCore/QTimer>
#include <QtCore/QTimerEvent>

namespace {

// A closure of Rust's, with what it has captured. Rust moves its values as bytes.
struct RawClosure {
    void (*call)(void *captured);
    void (*drop)(void *captured);
    alignas(void *) unsigned char captured[4 * sizeof(void *)];
};

// The same with an owner, as a lambda is one: nothing is allocated for it.
class Closure final {
public:
    explicit Closure(const RawClosure *closure) : raw(*closure) {}
    Closure(Closure &&other) noexcept : raw(other.raw) { other.raw.drop = nullptr; }
    Closure &operator=(Closure &&) = delete;

    ~Closure() {
        if (raw.drop) {
            raw.drop(raw.captured);
        }
    }

    void operator()() { raw.call(raw.captured); }

private:
    RawClosure raw;
};

// Overridden, rather than its signal connected: that is the shorter way, and needs no moc.
class Notifier final : public QSocketNotifier {
public:
    Notifier(int descriptor, const RawClosure *ready)
        : QSocketNotifier(descriptor, QSocketNotifier::Read), ready(ready) {}

protected:
    bool event(QEvent *event) override {
        if (event->type() != QEvent::SockAct) {
            return QSocketNotifier::event(event);
        }
        ready();
        return true;
    }

private:
    Closure ready;
};

// Overridden, as the notifier is.
class Timer final : public QTimer {
public:
    explicit Timer(const RawClosure *fire) : fire(fire) {}

protected:
    void timerEvent(QTimerEvent *event) override {
        if (event->timerId() == timerId()) {
            if (isSingleShot()) {
                stop();
            }
            fire();
        }
    }

private:
    Closure fire;
};

} // namespace

extern "C" {

QCoreApplication *interloop_benches_qt_application_new() {
    static int count = 1;
    static char name[] = "interloop-benches";
    static char *words[] = {name, nullptr};
    return new QCoreApplication(count, words);
}

void interloop_benches_qt_application_delete(QCoreApplication *application) { delete application; }

void interloop_benches_qt_exec() { QCoreApplication::exec(); }

void interloop_benches_qt_quit() { QCoreApplication::quit(); }

Notifier *interloop_benches_qt_notifier_new(int descriptor, const RawClosure *ready) {
    return new Notifier(descriptor, ready);
}

void interloop_benches_qt_notifier_delete(Notifier *notifier) { delete notifier; }

Timer *interloop_benches_qt_timer_new(int milliseconds, bool is_single_shot, const RawClosure *fire) {
    Timer *timer = new Timer(fire);
    timer->setSingleShot(is_single_shot);
    timer->start(milliseconds);
    return timer;
}

void interloop_benches_qt_timer_delete(Timer *timer) { delete timer; }

void interloop_benches_qt_single_shot(int milliseconds, const RawClosure *fire) {
    QTimer::singleShot(milliseconds, [fire = Closure(fire)]() mutable { fire(); });
}

QObject *interloop_benches_qt_object_new(QCoreApplication *application) { return new QObject(application); }

// From any thread.
void interloop_benches_qt_invoke(QObject *object, const RawClosure *call) {
    QMetaObject::invokeMethod(object, [call = Closure(call)]() mutable { call(); }, Qt::QueuedConnection);
}
}
