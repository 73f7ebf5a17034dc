// Tells the application to quit. It does not hear that while its own loop does not run, whichever other loop
// does: Qt 6 does nothing then, and in Qt 5 exec() forgets what was before it. Nor does it say when it begins
// to run. So it is told again, until it has heard.

#include "called.h"

#include <QtCore/QBasicTimer>

using namespace interloop_qt;

namespace {

// How long it takes at most, once the loop runs, in milliseconds: at first, and when it has not begun for a while.
constexpr int again_after = 20;
constexpr int longest_after = 320;

class Quitter final : public Called {
public:
    Quitter() {
        if (QCoreApplication::instance()) {
            ask();
        } else {
            // Kept until there is an application, and delivered when its loop runs.
            QCoreApplication::postEvent(this, new QEvent(own_type()));
        }
    }

    void let_go() override {
        end();
        Called::let_go();
    }

    bool event(QEvent *event) override {
        if (event->type() != own_type() && event->type() != QEvent::Timer) {
            return QObject::event(event);
        }
        Call call(this);
        if (!is_let_go && !is_heard) {
            ask();
        }
        return true;
    }

    bool eventFilter(QObject *object, QEvent *event) override {
        if (object == QCoreApplication::instance() && event->type() == QEvent::Quit) {
            // A window may keep it running. That was its user's answer, who is not asked again.
            is_heard = true;
            end();
        }
        return false;
    }

private:
    void ask() {
        if (!is_application_here()) {
            return;
        }
        // Installed last, it is the first to see the event, whoever else takes it. Qt 5 sends none: there
        // this is let go of when the application is about to quit.
        QCoreApplication::instance()->installEventFilter(this);
        timer.start(after, this);
        after = qMin(2 * after, longest_after);
        QCoreApplication::quit();
    }

    void end() {
        timer.stop();
        if (QCoreApplication::instance()) {
            QCoreApplication::instance()->removeEventFilter(this);
        }
    }

    QBasicTimer timer;
    int after = again_after;
    bool is_heard = false;
};

} // namespace

extern "C" {

Quitter *interloop_qt_quitter_new() { return new Quitter; }

void interloop_qt_quitter_let_go(Quitter *quitter) { quitter->let_go(); }
}
