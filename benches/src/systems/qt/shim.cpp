// Of Qt, what the comparison needs, as C functions. All of them are called on the thread of the application.

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>
#include <QtCore/QSocketNotifier>

namespace {

// Overridden, rather than its signal connected: that is the shorter way, and needs no moc.
class Notifier final : public QSocketNotifier {
public:
    Notifier(int descriptor, void (*ready)(void *), void *data)
        : QSocketNotifier(descriptor, QSocketNotifier::Read), ready(ready), data(data) {}

protected:
    bool event(QEvent *event) override {
        if (event->type() != QEvent::SockAct) {
            return QSocketNotifier::event(event);
        }
        ready(data);
        return true;
    }

private:
    void (*const ready)(void *);
    void *const data;
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

Notifier *interloop_benches_qt_notifier_new(int descriptor, void (*ready)(void *), void *data) {
    return new Notifier(descriptor, ready, data);
}

void interloop_benches_qt_notifier_delete(Notifier *notifier) { delete notifier; }
}
