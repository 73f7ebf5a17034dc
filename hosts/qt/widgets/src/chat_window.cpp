// The window of the example `chat_window`: what is shown and typed. It knows nothing of the network.

#include <QtCore/QStringList>
#include <QtGui/QKeySequence>
#include <QtWidgets/QHBoxLayout>
#include <QtWidgets/QLabel>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QListWidget>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QSplitter>
#include <QtWidgets/QTextEdit>
#include <QtWidgets/QVBoxLayout>
#include <QtWidgets/QWidget>

// Qt 6 has it in QtGui.
#include <QShortcut>

#include <memory>

namespace {

// What the user does.
enum Action { join, leave, serve, stop_serving, say };

// What the client is at.
enum Connection { apart, joining, joined };

// What is said of a line.
enum Kind { by_others, by_ourselves, notice, trouble };

// Rust's side: both texts end with a zero, and are there for the call.
struct Listener {
    void *data;
    void (*act)(void *data, Action action, const char *first, const char *second);
    void (*drop)(void *data);
};

class ChatWindow final : public QWidget {
public:
    explicit ChatWindow(const Listener &listener) : data(listener.data, listener.drop), act(listener.act) {
        setWindowTitle("chat");
        resize(640, 420);

        name->setMaxLength(32);
        name->setPlaceholderText("your name");
        address->setPlaceholderText("host:port");
        messages->setReadOnly(true);
        members->setFocusPolicy(Qt::NoFocus);
        entry->setPlaceholderText("say something");

        auto *top = new QHBoxLayout;
        top->addWidget(new QLabel("Name"));
        top->addWidget(name, 1);
        top->addWidget(new QLabel("Server"));
        top->addWidget(address, 2);
        top->addWidget(connect_button);
        top->addWidget(serve_button);

        auto *here = new QWidget;
        auto *here_layout = new QVBoxLayout(here);
        here_layout->setContentsMargins(0, 0, 0, 0);
        here_layout->addWidget(here_title);
        here_layout->addWidget(members);
        auto *middle = new QSplitter;
        middle->addWidget(messages);
        middle->addWidget(here);
        middle->setStretchFactor(0, 1);
        middle->setSizes({480, 140});

        auto *bottom = new QHBoxLayout;
        bottom->addWidget(entry, 1);
        bottom->addWidget(say_button);

        auto *all = new QVBoxLayout(this);
        all->addLayout(top);
        all->addWidget(middle, 1);
        all->addLayout(bottom);
        all->addWidget(status);

        connect(connect_button, &QPushButton::clicked, this, [this] { connect_or_not(); });
        connect(name, &QLineEdit::returnPressed, this, [this] { connect_if_apart(); });
        connect(address, &QLineEdit::returnPressed, this, [this] { connect_if_apart(); });
        connect(serve_button, &QPushButton::clicked, this, [this] {
            is_serving ? tell(stop_serving) : tell(serve, address->text());
        });
        connect(say_button, &QPushButton::clicked, this, [this] { say_entry(); });
        connect(entry, &QLineEdit::returnPressed, this, [this] { say_entry(); });
        connect(new QShortcut(QKeySequence::Quit, this), &QShortcut::activated, this, [this] { close(); });
        set_connection(apart);
        set_serving(false);
    }

    void set_connection(Connection now) {
        connection = now;
        const bool is_apart = now == apart;
        name->setEnabled(is_apart);
        address->setEnabled(is_apart);
        connect_button->setText(is_apart ? "Connect" : now == joining ? "Cancel" : "Leave");
        entry->setEnabled(now == joined);
        say_button->setEnabled(now == joined);
        if (is_apart) {
            name->setFocus();
            name->selectAll();
        } else if (now == joined) {
            entry->setFocus();
        }
    }

    void set_serving(bool now) {
        is_serving = now;
        serve_button->setText(now ? "Stop the server" : "Start a server");
    }

    void set_members(const QStringList &names) {
        members->clear();
        members->addItems(names);
        here_title->setText(names.isEmpty() ? QString("Nobody is here") : QString("%1 here").arg(names.size()));
    }

    void add_line(Kind kind, const QString &who, const QString &text) {
        static const char *const colors[] = {"#1f5faa", "#6a6a6a", "#3f8f3f", "#b03030"};
        const QString color = colors[kind];
        const QString what = text.toHtmlEscaped();
        if (who.isEmpty()) {
            messages->append(QString("<span style='color:%1'><i>%2</i></span>").arg(color, what));
        } else {
            const QString from = who.toHtmlEscaped();
            messages->append(QString("<span style='color:%1'><b>%2</b></span>&nbsp; %3").arg(color, from, what));
        }
    }

    QLineEdit *const name = new QLineEdit;
    QLineEdit *const address = new QLineEdit;
    QLabel *const status = new QLabel;

private:
    void tell(Action action, const QString &first = {}, const QString &second = {}) {
        // The window may go while this runs, and its listener with it.
        const std::shared_ptr<void> kept = data;
        act(kept.get(), action, first.toUtf8().constData(), second.toUtf8().constData());
    }

    void connect_or_not() {
        connection == apart ? tell(join, name->text(), address->text()) : tell(leave);
    }

    void connect_if_apart() {
        if (connection == apart) {
            connect_or_not();
        }
    }

    void say_entry() {
        const QString text = entry->text();
        if (!text.trimmed().isEmpty()) {
            entry->clear();
            tell(say, text);
        }
    }

    const std::shared_ptr<void> data;
    void (*const act)(void *data, Action action, const char *first, const char *second);
    QPushButton *const connect_button = new QPushButton;
    QPushButton *const serve_button = new QPushButton;
    QTextEdit *const messages = new QTextEdit;
    QLabel *const here_title = new QLabel("Nobody is here");
    QListWidget *const members = new QListWidget;
    QLineEdit *const entry = new QLineEdit;
    QPushButton *const say_button = new QPushButton("Say");
    Connection connection = apart;
    bool is_serving = false;
};

} // namespace

extern "C" {

ChatWindow *qt_chat_window_new(Listener listener) {
    auto *window = new ChatWindow(listener);
    window->show();
    return window;
}

void qt_chat_window_delete(ChatWindow *window) { delete window; }

void qt_chat_window_set_title(ChatWindow *window, const char *text) {
    window->setWindowTitle(QString::fromUtf8(text));
}

void qt_chat_window_set_name(ChatWindow *window, const char *text) { window->name->setText(QString::fromUtf8(text)); }

void qt_chat_window_set_address(ChatWindow *window, const char *text) {
    window->address->setText(QString::fromUtf8(text));
}

void qt_chat_window_set_status(ChatWindow *window, const char *text) {
    window->status->setText(QString::fromUtf8(text));
}

void qt_chat_window_set_connection(ChatWindow *window, Connection connection) { window->set_connection(connection); }

void qt_chat_window_set_serving(ChatWindow *window, bool is_serving) { window->set_serving(is_serving); }

// The names are separated by spaces, which no name has.
void qt_chat_window_set_members(ChatWindow *window, const char *names) {
    const QString text = QString::fromUtf8(names);
    window->set_members(text.isEmpty() ? QStringList() : text.split(' '));
}

void qt_chat_window_add_line(ChatWindow *window, Kind kind, const char *who, const char *text) {
    window->add_line(kind, QString::fromUtf8(who), QString::fromUtf8(text));
}
}
