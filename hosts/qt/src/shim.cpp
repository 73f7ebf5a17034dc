// What the adapter needs of Qt, as C functions. Nothing here needs moc: signals are connected to functors,
// and events are taken by overriding QObject::event().
//
// Unless it says otherwise, a function is called on the thread of the reactor, which is that of the
// application. No function of Rust's that is called here unwinds.

#include "called.h"

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QPointer>
#include <QtCore/QSocketNotifier>

#include <mutex>
#include <utility>

using namespace interloop_qt;

namespace {

// QCoreApplication::postEvent() wakes the application's event dispatcher after it has let go of Qt's own
// lock, so that the destruction of the application may pull the dispatcher from under it. Whoever posts from
// another thread holds this lock, and the application's destruction takes it to say that it has begun.
std::mutex application;
bool application_is_closing = false;

void application_closes() {
    std::lock_guard<std::mutex> lock(application);
    application_is_closing = true;
}

// exit() destroys what is static in Qt, but not the application.
struct AtExit {
    const qint64 process = QCoreApplication::applicationPid();

    ~AtExit() {
        // In a forked child, a thread that it has not got may hold the lock, and none of its own posts.
        if (process == QCoreApplication::applicationPid()) {
            application_closes();
        }
    }
};

// Called when an application has been made, by the constructor, and at once when there is one.
void application_opens() {
    // Made after what an application has needed of Qt so far, it is destroyed before that.
    static const AtExit at_exit;
    {
        std::lock_guard<std::mutex> lock(application);
        application_is_closing = false;
    }
    // Forgotten by Qt when it has been called.
    qAddPostRoutine(application_closes);
}

void follow_the_application() {
    static const bool followed = (qAddPreRoutine(application_opens), true);
    Q_UNUSED(followed);
}

// What becomes of a boxed tick.
struct TickCalls {
    void (*run)(void *tick);
    // It was lost: the reactor is to post another.
    void (*fail)(void *tick);
    // Nobody waits for it.
    void (*forget)(void *tick);
};

// Carries a boxed tick.
class TickEvent final : public QEvent {
public:
    TickEvent(const QObject *receiver, void *tick, const TickCalls &calls)
        : QEvent(own_type()), receiver(receiver), tick(tick), calls(calls) {}

    ~TickEvent() override {
        if (tick) {
            // Undelivered: an event filter of the application has taken it, or its receiver is being
            // destroyed, because the reactor has another waker.
            (receiver ? calls.fail : calls.forget)(tick);
        }
    }

    void run() { calls.run(std::exchange(tick, nullptr)); }

    void forget() { calls.forget(std::exchange(tick, nullptr)); }

private:
    const QPointer<const QObject> receiver;
    void *tick;
    const TickCalls calls;
};

// The receiver of the ticks.
class Receiver final : public Called {
public:
    explicit Receiver(const TickCalls &calls) : calls(calls) {}

    // From any thread, but not beside another call.
    bool post(void *tick) {
        std::lock_guard<std::mutex> lock(application);
        if (application_is_closing) {
            return false;
        }
        QCoreApplication::postEvent(this, new TickEvent(this, tick, calls));
        return true;
    }

    // From any thread.
    void let_go() override {
        if (thread() == QThread::currentThread()) {
            return Called::let_go();
        }
        std::lock_guard<std::mutex> lock(application);
        // Otherwise it is left behind: no loop runs that would delete it.
        if (!application_is_closing) {
            QCoreApplication::postEvent(this, new QEvent(end_type()));
        }
    }

    bool event(QEvent *event) override {
        if (event->type() != own_type() && event->type() != end_type()) {
            return QObject::event(event);
        }
        Call call(this);
        if (event->type() == end_type()) {
            is_let_go = true;
        } else if (is_let_go) {
            static_cast<TickEvent *>(event)->forget();
        } else {
            static_cast<TickEvent *>(event)->run();
        }
        return true;
    }

private:
    const TickCalls calls;
};

// Joins an attached reactor to the application, as soon as there is one.
class Joint final : public Called {
public:
    // When `descriptor`, if there is one, is readable, `readable` is called, until it answers false; when the
    // application is about to quit, `quits` is.
    Joint(qintptr descriptor, bool (*readable)(void *), void (*quits)(void *), void *data)
        : descriptor(descriptor), readable(readable), quits(quits), data(data) {
        if (QCoreApplication::instance()) {
            join();
        } else {
            // Kept until there is an application, and delivered when its loop runs.
            QCoreApplication::postEvent(this, new QEvent(own_type()));
        }
    }

    void let_go() override {
        if (watch) {
            watch->setEnabled(false);
        }
        Called::let_go();
    }

    bool event(QEvent *event) override {
        if (event->type() != own_type()) {
            return QObject::event(event);
        }
        if (!is_let_go) {
            join();
        }
        return true;
    }

    // The signal of the notifier has different signatures in Qt 5 and Qt 6.
    bool eventFilter(QObject *object, QEvent *event) override {
        if (object != watch || event->type() != QEvent::SockAct) {
            return false;
        }
        Call call(this);
        // It may have been on its way when the watch was ended.
        if (watch->isEnabled() && !readable(data)) {
            watch->setEnabled(false);
        }
        return true;
    }

private:
    void join() {
        if (is_application_here()) {
            connect(QCoreApplication::instance(), &QCoreApplication::aboutToQuit, this, [this] {
                Call call(this);
                if (!is_let_go) {
                    quits(data);
                }
            });
        }
        if (descriptor >= 0) {
            watch = new QSocketNotifier(descriptor, QSocketNotifier::Read, this);
            watch->installEventFilter(this);
        }
    }

    const qintptr descriptor;
    bool (*const readable)(void *);
    void (*const quits)(void *);
    void *const data;
    QSocketNotifier *watch = nullptr;
};

} // namespace

extern "C" {

// True when there is an application, and it lives on another thread.
bool interloop_qt_is_elsewhere() { return QCoreApplication::instance() && !is_application_here(); }

// True when the loop of this thread is one of Qt's that give the numbers of descriptors to each of their polls, as all of
// Qt's own do that are built upon poll().
bool interloop_qt_polls_by_number() {
    const QObject *dispatcher = QAbstractEventDispatcher::instance();
    return dispatcher && (dispatcher->inherits("QEventDispatcherUNIX") || dispatcher->inherits("QEventDispatcherGlib"));
}

Receiver *interloop_qt_receiver_new(TickCalls calls) {
    follow_the_application();
    return new Receiver(calls);
}

// False when the tick was not taken.
bool interloop_qt_receiver_post(Receiver *receiver, void *tick) { return receiver->post(tick); }

void interloop_qt_receiver_let_go(Receiver *receiver) { receiver->let_go(); }

Joint *interloop_qt_joint_new(qintptr descriptor, bool (*readable)(void *), void (*quits)(void *), void *data) {
    return new Joint(descriptor, readable, quits, data);
}

void interloop_qt_joint_let_go(Joint *joint) { joint->let_go(); }
}
