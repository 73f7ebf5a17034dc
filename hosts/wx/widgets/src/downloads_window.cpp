// The window of the example `downloads`: what is shown and clicked. It knows nothing of the network.

#include <wx/accel.h>
#include <wx/button.h>
#include <wx/frame.h>
#include <wx/gauge.h>
#include <wx/panel.h>
#include <wx/scrolwin.h>
#include <wx/sizer.h>
#include <wx/stattext.h>
#include <wx/textctrl.h>
#include <wx/weakref.h>

#include <memory>
#include <vector>

namespace {

// What the user does.
enum Action { download, stop_or_resume, stop_all, resume_all };

// What can be done with a download.
enum Offer { nothing, stop, resume };

// Rust's side: the text ends with a zero, and is there for the call.
struct Listener {
    void *data;
    void (*act)(void *data, Action action, size_t row, const char *text);
    void (*drop)(void *data);
};

struct Row {
    wxGauge *gauge;
    wxStaticText *status;
    wxButton *button;
};

// The steps of a gauge.
const int whole = 1000;

class DownloadsFrame final : public wxFrame {
public:
    explicit DownloadsFrame(const Listener &listener)
        : wxFrame(nullptr, wxID_ANY, "downloads", wxDefaultPosition, wxSize(640, 420)),
          data(listener.data, listener.drop), act(listener.act) {
        auto *panel = new wxPanel(this);
        address = new wxTextCtrl(panel, wxID_ANY, "", wxDefaultPosition, wxDefaultSize, wxTE_PROCESS_ENTER);
        address->SetHint("https://host/path");
        auto *add = new wxButton(panel, wxID_ANY, "&Download");
        list = new wxScrolledWindow(panel);
        list->SetScrollRate(0, 10);
        list->SetSizer(new wxBoxSizer(wxVERTICAL));
        auto *stop_them = new wxButton(panel, wxID_ANY, "&Stop all");
        auto *resume_them = new wxButton(panel, wxID_ANY, "&Resume all");
        status = new wxStaticText(panel, wxID_ANY, "");

        auto *top = new wxBoxSizer(wxHORIZONTAL);
        top->Add(address, 1, wxALIGN_CENTER_VERTICAL | wxRIGHT, 6);
        top->Add(add);
        auto *bottom = new wxBoxSizer(wxHORIZONTAL);
        bottom->Add(status, 1, wxALIGN_CENTER_VERTICAL | wxRIGHT, 6);
        bottom->Add(stop_them, 0, wxRIGHT, 6);
        bottom->Add(resume_them);
        auto *all = new wxBoxSizer(wxVERTICAL);
        all->Add(top, 0, wxEXPAND | wxALL, 8);
        all->Add(list, 1, wxEXPAND | wxLEFT | wxRIGHT, 8);
        all->Add(bottom, 0, wxEXPAND | wxALL, 8);
        panel->SetSizer(all);

        add->Bind(wxEVT_BUTTON, [this](wxCommandEvent &) { download_address(); });
        address->Bind(wxEVT_TEXT_ENTER, [this](wxCommandEvent &) { download_address(); });
        // Here, where the keys for them arrive too.
        Bind(wxEVT_BUTTON, [this](wxCommandEvent &) { tell(stop_all); }, stop_them->GetId());
        Bind(wxEVT_BUTTON, [this](wxCommandEvent &) { tell(resume_all); }, resume_them->GetId());
        wxAcceleratorEntry keys[] = {
            wxAcceleratorEntry(wxACCEL_CTRL, 'S', stop_them->GetId()),
            wxAcceleratorEntry(wxACCEL_CTRL, 'R', resume_them->GetId()),
        };
        SetAcceleratorTable(wxAcceleratorTable(WXSIZEOF(keys), keys));
        address->SetFocus();
    }

    void add_row(const wxString &name) {
        auto *title = new wxStaticText(list, wxID_ANY, name);
        title->SetFont(title->GetFont().Bold());
        Row row;
        row.gauge = new wxGauge(list, wxID_ANY, whole);
        row.status = new wxStaticText(list, wxID_ANY, "", wxDefaultPosition, wxDefaultSize, wxST_ELLIPSIZE_END);
        row.button = new wxButton(list, wxID_ANY, "Stop");
        const size_t number = rows.size();
        row.button->Bind(wxEVT_BUTTON, [this, number](wxCommandEvent &) { tell(stop_or_resume, number); });

        auto *left = new wxBoxSizer(wxVERTICAL);
        left->Add(title);
        left->Add(row.gauge, 0, wxEXPAND | wxTOP | wxBOTTOM, 2);
        left->Add(row.status, 0, wxEXPAND);
        auto *both = new wxBoxSizer(wxHORIZONTAL);
        both->Add(left, 1, wxEXPAND | wxRIGHT, 8);
        both->Add(row.button, 0, wxALIGN_CENTER_VERTICAL);
        list->GetSizer()->Add(both, 0, wxEXPAND | wxBOTTOM, 8);
        list->FitInside();
        list->Layout();
        rows.push_back(row);
    }

    void set_row(size_t number, int progress, Offer offer, const wxString &text) {
        const Row &row = rows.at(number);
        if (progress < 0) {
            row.gauge->Pulse();
        } else {
            row.gauge->SetValue(progress);
        }
        row.status->SetLabel(text);
        row.button->SetLabel(offer == resume ? "Resume" : offer == stop ? "Stop" : "Done");
        row.button->Enable(offer != nothing);
    }

    wxTextCtrl *address;
    wxStaticText *status;

private:
    void tell(Action action, size_t row = 0, const wxString &text = "") {
        // The window may go while this runs, and its listener with it.
        const std::shared_ptr<void> kept = data;
        act(kept.get(), action, row, text.utf8_str());
    }

    void download_address() {
        const wxString text = address->GetValue();
        if (!text.empty()) {
            address->Clear();
            tell(download, 0, text);
        }
    }

    const std::shared_ptr<void> data;
    void (*const act)(void *data, Action action, size_t row, const char *text);
    wxScrolledWindow *list;
    std::vector<Row> rows;
};

// A frame deletes itself when it is closed, and nothing is shown after that.
using Frame = wxWeakRef<DownloadsFrame>;

} // namespace

extern "C" {

Frame *wx_downloads_new(Listener listener) {
    auto *frame = new DownloadsFrame(listener);
    frame->Show();
    return new Frame(frame);
}

void wx_downloads_forget(Frame *frame) { delete frame; }

void wx_downloads_set_status(Frame *frame, const char *text) {
    if (frame->get()) {
        frame->get()->status->SetLabel(wxString::FromUTF8(text));
    }
}

void wx_downloads_set_title(Frame *frame, const char *text) {
    if (frame->get()) {
        frame->get()->SetTitle(wxString::FromUTF8(text));
    }
}

// Its number is that of the rows before it.
void wx_downloads_add_row(Frame *frame, const char *name) {
    if (frame->get()) {
        frame->get()->add_row(wxString::FromUTF8(name));
    }
}

// The progress is in thousandths, or less than zero where it is not known.
void wx_downloads_set_row(Frame *frame, size_t row, int progress, Offer offer, const char *text) {
    if (frame->get()) {
        frame->get()->set_row(row, progress, offer, wxString::FromUTF8(text));
    }
}
}
