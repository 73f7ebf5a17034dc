// A little of wxWidgets as C functions. All of them are called on the main thread. No function of Rust's that
// is called here unwinds.

#include <wx/app.h>
#include <wx/apptrait.h>
#include <wx/dialog.h>
#include <wx/evtloop.h>
#include <wx/frame.h>
#include <wx/init.h>
#include <wx/timer.h>
#include <wx/weakref.h>

#include <functional>
#include <memory>
#include <vector>

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

// Calls `again` until it answers false.
class Repeat final : public wxTimer {
public:
    Repeat(int milliseconds, std::function<bool()> again) : again(again) { Start(milliseconds); }

    void Notify() override {
        if (!again()) {
            Stop();
        }
    }

private:
    std::function<bool()> again;
};

class Application final : public wxApp {
public:
    bool OnInit() override { return true; }
};

class Console final : public wxAppConsole {
public:
    bool OnInit() override { return true; }
};

// They end with the application.
std::vector<std::unique_ptr<Repeat>> repeats;

} // namespace

extern "C" {

// False without a display.
bool wx_application_new(bool with_windows) {
    int argument_count = 1;
    char program[] = "interloop";
    char *arguments[] = {program, nullptr};
    if (with_windows) {
        wxApp::SetInstance(new Application);
    } else {
        wxApp::SetInstance(new Console);
    }
    return wxEntryStart(argument_count, arguments) && wxTheApp->CallOnInit();
}

void wx_application_delete() {
    repeats.clear();
    wxEntryCleanup();
}

// The rest does nothing without an application.

void wx_run() {
    if (wxTheApp) {
        wxTheApp->OnRun();
        wxTheApp->OnExit();
    }
}

void wx_exit_main_loop() {
    if (wxTheApp) {
        wxTheApp->ExitMainLoop();
    }
}

void wx_exit_active_loop() {
    if (wxEventLoopBase *loop = wxEventLoopBase::GetActive()) {
        loop->ScheduleExit();
    }
}

void wx_call_after(Closure closure) {
    auto call = own(closure);
    if (wxTheApp) {
        wxTheApp->CallAfter([call] { call(); });
    }
}

void wx_every(int milliseconds, Closure closure) {
    auto again = own(closure);
    if (wxTheApp) {
        repeats.push_back(std::make_unique<Repeat>(milliseconds, again));
    }
}

// Asks for idle events without end.
void wx_idle_busily() {
    if (wxTheApp) {
        wxTheApp->Bind(wxEVT_IDLE, [](wxIdleEvent &event) { event.RequestMore(); });
    }
}

// The nested loops go on as long as `again` answers true.

void wx_loop(Closure again) {
    auto ask = own(again);
    if (wxTheApp) {
        std::unique_ptr<wxEventLoopBase> loop(wxTheApp->GetTraits()->CreateEventLoop());
        Repeat repeat(1, [&loop, ask] { return ask() || (loop->Exit(), false); });
        loop->Run();
    }
}

// A frame deletes itself when it is closed, or is deleted with the application.
using Frame = wxWeakRef<wxFrame>;

void wx_dialog(Frame *frame, Closure again) {
    auto ask = own(again);
    if (wxTheApp) {
        wxDialog dialog(frame->get(), wxID_ANY, "A modal dialog");
        Repeat repeat(1, [&dialog, ask] { return ask() || (dialog.EndModal(wxID_OK), false); });
        dialog.ShowModal();
    }
}

Frame *wx_frame_new() {
    if (!wxTheApp) {
        return new Frame;
    }
    auto *frame = new wxFrame(nullptr, wxID_ANY, "interloop", wxDefaultPosition, wxSize(320, 200));
    frame->Show();
    return new Frame(frame);
}

void wx_frame_close(Frame *frame) {
    if (frame->get()) {
        frame->get()->Close();
    }
}

void wx_frame_forget(Frame *frame) { delete frame; }
}
