// An event filter of the application that counts what asks it to quit, and refuses.

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>

namespace {

int refused = 0;

class Refusal final : public QObject {
public:
    using QObject::QObject;

    bool eventFilter(QObject *object, QEvent *event) override {
        if (object != QCoreApplication::instance() || event->type() != QEvent::Quit) {
            return false;
        }
        ++refused;
        return true;
    }
};

} // namespace

extern "C" {

// It belongs to the application.
void qt_refusal_install() {
    QCoreApplication::instance()->installEventFilter(new Refusal(QCoreApplication::instance()));
}

int qt_refusal_refused() { return refused; }

// Ends the loops of the application without asking.
void qt_refusal_exit() { QCoreApplication::exit(); }
}
