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

// Ends the main loop, below whatever dialog runs a loop of its own: it ends when that has.
void interloop_wx_exit() {
    wxEventLoopBase *const loop = wxTheApp ? wxTheApp->GetMainLoop() : nullptr;
    if (loop && Loop::is_running(loop)) {
        loop->ScheduleExit(0);
    }
}
}
