//! Progress bars for file transfers, on standard error. If that is not a terminal, nothing is shown.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::text::printable;

/// All progress bars of this process, one per transfer.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Starts a bar for the transfer of the file `name`. `size` is None if it is not known.
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

/// Hides the bars while `print` prints something else.
pub fn suspend<T>(print: impl FnOnce() -> T) -> T {
    // Without bars, threads need not take turns to print.
    if BARS.is_hidden() {
        return print();
    }
    BARS.suspend(print)
}

/// Prints a newline if both streams are a terminal, so that a bar or an error does not continue the open line
/// that standard output has left there.
pub fn end_open_line() {
    if io::stdout().is_terminal() && io::stderr().is_terminal() {
        let _ = writeln!(io::stderr());
    }
}
