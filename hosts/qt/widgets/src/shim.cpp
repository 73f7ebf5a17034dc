// A little of Qt as C functions. All of them are called on the thread of the application. No function of
// Rust's that is called here unwinds.

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>
#include <QtCore/QEventLoop>
#include <QtCore/QMetaObject>
#include <QtCore/QTimer>
#include <QtWidgets/QApplication>
#include <QtWidgets/QDialog>
#include <QtWidgets/QMessageBox>
#include <QtWidgets/QWidget>

#include <functional>
#include <memory>

namespace {

// A closure of Rust's.
struct Closure {
    void *data;
    // Answers whether it is to be called again, where that is asked.
    bool (*call)(void *data);
    void (*drop)(void *data);
};

// Owns it. Copies are one closure.
std::function<bool()> own(const Closure &closure) {
    std::shared_ptr<void> data(closure.data, closure.drop);
    return [data, call = closure.call] { return call(data.get()); };
}

// Calls `again` by a timer that belongs to `owner`, until it answers false.
QTimer *repeat(QObject *owner, int milliseconds, std::function<bool()> again) {
    auto *timer = new QTimer(owner);
    timer->setTimerType(Qt::PreciseTimer);
    QObject::connect(timer, &QTimer::timeout, timer, [timer, again] {
        if (!again()) {
            timer->stop();
        }
    });
    timer->start(milliseconds);
    return timer;
}

// The application takes them by reference, and keeps them.
int argument_count = 1;
char program[] = "interloop";
char *arguments[] = {program, nullptr};

} // namespace

extern "C" {

QCoreApplication *qt_application_new(bool with_widgets) {
    if (with_widgets) {
        return new QApplication(argument_count, arguments);
    }
    return new QCoreApplication(argument_count, arguments);
}

void qt_application_delete(QCoreApplication *application) { delete application; }

void qt_exec() { QCoreApplication::exec(); }

void qt_quit() { QCoreApplication::quit(); }

const char *qt_version() { return qVersion(); }

// The class of the event dispatcher of this thread. Empty where there is none.
const char *qt_dispatcher() {
    const QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
    return dispatcher ? dispatcher->metaObject()->className() : "";
}

// The next two do nothing without an application.

void qt_post(Closure closure) {
    auto call = own(closure);
    if (auto *application = QCoreApplication::instance()) {
        QMetaObject::invokeMethod(application, [call] { call(); }, Qt::QueuedConnection);
    }
}

void qt_every(int milliseconds, Closure closure) {
    auto again = own(closure);
    if (auto *application = QCoreApplication::instance()) {
        repeat(application, milliseconds, again);
    }
}

// The three nested loops go on as long as `again` answers true.

void qt_loop(Closure again) {
    QEventLoop loop;
    auto ask = own(again);
    repeat(&loop, 1, [&loop, ask] { return ask() || (loop.quit(), false); });
    loop.exec();
}

void qt_dialog(QWidget *window, Closure again) {
    QDialog dialog(window);
    dialog.setWindowTitle("A modal dialog");
    auto ask = own(again);
    repeat(&dialog, 1, [&dialog, ask] { return ask() || (dialog.accept(), false); });
    dialog.exec();
}

void qt_message_box(QWidget *window, Closure again) {
    QMessageBox box(QMessageBox::Question, "A message box", "Go on?", QMessageBox::Yes, window);
    auto ask = own(again);
    repeat(&box, 1, [&box, ask] { return ask() || (box.accept(), false); });
    box.exec();
}

QWidget *qt_window_new() {
    auto *window = new QWidget;
    window->setWindowTitle("interloop");
    window->resize(320, 200);
    window->show();
    return window;
}

void qt_window_close(QWidget *window) { window->close(); }

void qt_window_delete(QWidget *window) { delete window; }
}
