// What the objects of the shim have in common.

#pragma once

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>
#include <QtCore/QObject>
#include <QtCore/QThread>

namespace interloop_qt {

// The type of the events that are posted to the objects of the shim.
inline QEvent::Type own_type() {
    static const int type = QEvent::registerEventType();
    return static_cast<QEvent::Type>(type);
}

// The type of the events that let go of an object, from another thread than its own.
inline QEvent::Type end_type() {
    static const int type = QEvent::registerEventType();
    return static_cast<QEvent::Type>(type);
}

inline bool is_application_here() {
    QCoreApplication *instance = QCoreApplication::instance();
    return instance && instance->thread() == QThread::currentThread();
}

// An object that may be let go of while it is being called.
//
// What is called may open a loop of its own, and deleteLater() does not wait for the frames below that: the
// loop deletes what was let go of in it, and any loop what another thread has. So an object is deleted
// only when it is in no call.
class Called : public QObject {
public:
    // On its own thread. Nothing is called from here on.
    virtual void let_go() {
        is_let_go = true;
        if (depth == 0) {
            delete this;
        }
    }

protected:
    class Call {
    public:
        explicit Call(Called *called) : called(called) { ++called->depth; }
        ~Call() {
            if (--called->depth == 0 && called->is_let_go) {
                // Qt's own frames are below. A loop runs, or the application is about to see to what is
                // deleted later.
                called->deleteLater();
            }
        }

    private:
        Called *called;
    };

    bool is_let_go = false;

private:
    int depth = 0;
};

} // namespace interloop_qt
