// What the adapter needs of wxWidgets, as C functions. They are called on the main thread, and no function
// of Rust's that is called here unwinds.

#include <wx/app.h>
#include <wx/evtloop.h>
#include <wx/evtloopsrc.h>
#include <wx/thread.h>
#include <wx/tracker.h>

namespace {

// What the descriptor has to say.
enum Arrived { nothing, a_tick, the_end };

// Rust's side.
struct Calls {
    Arrived (*arrived)(void *data);
    void (*run)(void *data);
    // Nothing is called after this.
    void (*ended)(void *data);
};

// What an event loop tells its subclasses only.
struct Loop : wxEventLoopBase {
    static bool is_running(const wxEventLoopBase *loop) { return (loop->*&Loop::IsInsideRun)(); }
    static bool is_ending(const wxEventLoopBase *loop) { return loop->*&Loop::m_shouldExit; }
};

// Stands between a waker and the loop: it watches a descriptor that other threads write to, and queues an event
// to itself, in which the tick runs.
//
// Other threads could queue that event by themselves. But QueueEvent() uses the application object, and a
// thread that does so while the main thread deletes it uses freed memory: wx gives no notice before. And
// ProcessPendingEvents() goes on as long as there are events, so that a thread that queues one while a tick
// runs keeps the loop from everything else. A descriptor is looked at once in an iteration. A tick does not
// run in OnReadWaiting(), because GLib does not call that again in a nested loop.
//
// It deletes itself, when the waker is gone or the application is destroyed.
class Relay final : public wxEvtHandler, public wxEventLoopSourceHandler, public wxTrackerNode {
public:
    Relay(const Calls &calls, void *data) : calls(calls), data(data) {}

    ~Relay() override {
        delete source;
        if (application) {
            application->RemoveNode(this);
        }
        calls.ended(data);
    }

    bool watch(int descriptor) {
        source = wxEventLoopBase::AddSourceForFD(descriptor, this, wxEVENT_SOURCE_INPUT);
        if (!source) {
            return false;
        }
        application = wxTheApp;
        application->AddNode(this);
        return true;
    }

    void OnReadWaiting() override {
        const Arrived what = calls.arrived(data);
        // The main loop of a console program goes on while it finds something to do, even when it was told
        // to end. Who finishes the reactor sees to the tick.
        if (what == nothing || (what == a_tick && is_last_loop_ending())) {
            return;
        }
        has_ended = has_ended || what == the_end;
        CallAfter(&Relay::run);
    }

    void OnWriteWaiting() override {}
    void OnExceptionWaiting() override {}

    // The application is destroyed, and with it goes what watches the descriptor.
    void OnObjectDestroy() override {
        application = nullptr;
        delete this;
    }

private:
    void run() {
        if (!has_ended) {
            ++depth;
            calls.run(data);
            --depth;
        }
        // Otherwise the outer run does it.
        if (has_ended && depth == 0) {
            delete this;
        }
    }

    // Whether the main loop ends, and no other one runs on top of it.
    static bool is_last_loop_ending() {
        const wxEventLoopBase *const loop = wxTheApp->GetMainLoop();
        return loop && loop == wxEventLoopBase::GetActive() && Loop::is_ending(loop);
    }

    const Calls calls;
    void *const data;
    wxEvtHandler *application = nullptr;
    wxEventLoopSource *source = nullptr;
    int depth = 0;
    bool has_ended = false;
};

// Ends the main loop. False when it does not run.
bool exit_main_loop() {
    wxEventLoopBase *const loop = wxTheApp->GetMainLoop();
    const bool runs = loop && Loop::is_running(loop);
    if (runs) {
        loop->ScheduleExit(0);
    }
    return runs;
}

bool is_active_loop_ending() {
    const wxEventLoopBase *const loop = wxEventLoopBase::GetActive();
    return loop && Loop::is_ending(loop);
}

// Ends the main loop once, when that runs.
//
// An event that is queued again and again until then would keep the loop of a dialog from everything else. wx takes
// the binding away when either this or the application is destroyed.
class Ending final : public wxEvtHandler {
public:
    Ending() {
        wxTheApp->Bind(wxEVT_IDLE, &Ending::on_idle, this);
        wxTheApp->WakeUpIdle();
    }

private:
    void on_idle(wxIdleEvent &event) {
        event.Skip();
        if (exit_main_loop()) {
            wxTheApp->Unbind(wxEVT_IDLE, &Ending::on_idle, this);
        } else if (is_active_loop_ending()) {
            // The next loop may be the main one, in which nothing else need happen.
            wxTheApp->WakeUpIdle();
        }
    }
};

} // namespace

extern "C" {

// True when there is an application, and this is the main thread.
bool interloop_wx_is_here() { return wxTheApp && wxThread::IsMain(); }

// Relays what comes through the descriptor. False, and it has ended, when that cannot be watched.
bool interloop_wx_relay(int descriptor, Calls calls, void *data) {
    auto *relay = new Relay(calls, data);
    if (relay->watch(descriptor)) {
        return true;
    }
    delete relay;
    return false;
}

// Ends the main loop, below whatever dialog runs a loop of its own: it ends when that has. Where none runs yet, it ends
// when it does, unless what this returns is forgotten before. Null where nothing is left to do.
Ending *interloop_wx_exit() {
    if (!wxTheApp || exit_main_loop()) {
        return nullptr;
    }
    return new Ending;
}

void interloop_wx_forget(Ending *ending) { delete ending; }
}
