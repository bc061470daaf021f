//! The progress bars of file transfers, on standard error; nothing at all where that is no terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::text::printable;

/// All bars of this process, one per transfer.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A bar for a transfer of the file `name`, of `size` bytes if that is known.
pub fn start(name: &[u8], size: Option<u64>) -> ProgressBar {
    if BARS.is_hidden() {
        return ProgressBar::hidden();
    }
    let template = match size {
        Some(_) => {
            "{msg}  {wide_bar}  {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta}"
        }
        None => "{msg}  {binary_bytes}  {binary_bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    let bar = BARS.add(ProgressBar::no_length().with_style(style));
    if let Some(size) = size {
        bar.set_length(size);
    }
    bar.with_message(printable(name))
}

/// Takes the bars away while `print` prints something else.
pub fn suspend<T>(print: impl FnOnce() -> T) -> T {
    // Without bars, nothing has to wait while another thread prints.
    if BARS.is_hidden() {
        return print();
    }
    BARS.suspend(print)
}

/// Ends a line that standard output has left open, where a bar or an error would continue it.
pub fn end_open_line() {
    if io::stdout().is_terminal() && io::stderr().is_terminal() {
        let _ = writeln!(io::stderr());
    }
}
