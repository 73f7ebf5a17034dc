// An event filter of the application that remembers the objects which the adapter has events delivered to,
// and sees whether they are there yet.

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>
#include <QtCore/QPointer>

#include <algorithm>
#include <vector>

namespace {

class Witness final : public QObject {
public:
    using QObject::QObject;

    bool eventFilter(QObject *object, QEvent *event) override {
        if (event->type() == QEvent::SockAct && object->parent()) {
            // A notifier belongs to who acts on it.
            remember(object->parent());
        } else if (event->type() >= QEvent::User) {
            remember(object);
        }
        return false;
    }

    int alive() const {
        const auto is_alive = [](const QPointer<QObject> &object) { return !object.isNull(); };
        return static_cast<int>(std::count_if(objects.begin(), objects.end(), is_alive));
    }

private:
    void remember(QObject *object) {
        if (std::find(objects.begin(), objects.end(), object) == objects.end()) {
            objects.emplace_back(object);
        }
    }

    std::vector<QPointer<QObject>> objects;
};

// It belongs to the application.
QPointer<Witness> witness;

} // namespace

extern "C" {

void qt_witness_install() {
    witness = new Witness(QCoreApplication::instance());
    QCoreApplication::instance()->installEventFilter(witness);
}

int qt_witness_alive() { return witness ? witness->alive() : 0; }
}
