//! The table, as text, JSON and SVG.

use crate::load::Measured;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// A measured row.
#[derive(Serialize)]
pub struct Row {
    name: &'static str,
    /// Responses a second: of the server, and of the bare route.
    rate: f64,
    bare: f64,
    /// The ratio of both.
    of_bare: f64,
    /// Microseconds of the processor for a response: of the server, and of the bare route.
    processor: f64,
    processor_of_bare: f64,
    /// Inserts a second of S1, and the ratio of the server to it.
    durable: Option<f64>,
    of_durable: Option<f64>,
    /// Response times of the server, in milliseconds.
    p50: f64,
    p99: f64,
}

impl Row {
    /// The row of these measurements.
    pub fn new(name: &'static str, own: &Measured, bare: &Measured, durable: Option<f64>) -> Self {
        let rate = own.rate();
        Self {
            name,
            rate,
            bare: bare.rate(),
            of_bare: rate / bare.rate(),
            processor: own.microseconds(),
            processor_of_bare: bare.microseconds(),
            durable,
            of_durable: durable.map(|durable| rate / durable),
            p50: own.milliseconds(500),
            p99: own.milliseconds(990),
        }
    }

    /// Prints the row.
    pub fn print(&self) {
        let of_durable = match (self.durable, self.of_durable) {
            (Some(durable), Some(ratio)) => format!("{durable:>8.0} {ratio:>6.2}"),
            _ => String::new(),
        };
        println!(
            "{:<26} {:>8.0} {:>8.0} {:>6.2} {:>7.2} {:>7.2} {:>7.1} {:>7.1} {of_durable}",
            self.name,
            self.rate,
            self.bare,
            self.of_bare,
            self.p50,
            self.p99,
            self.processor,
            self.processor_of_bare,
        );
    }
}

/// Prints the head of the table.
pub fn head() {
    println!(
        "{:<26} {:>8} {:>8} {:>6} {:>7} {:>7} {:>7} {:>7} {:>8} {:>6}",
        "a second", "server", "B", "of B", "p50 ms", "p99 ms", "CPU us", "of B us", "S1", "of S1"
    );
}

/// Writes the table as JSON and as SVG. `memory` is that of the idle server and after the load, in
/// MiB.
pub fn write(directory: &Path, rows: &[Row], memory: [u64; 2]) {
    std::fs::create_dir_all(directory).unwrap();
    let json = serde_json::json!({
        "rows": rows,
        "memory_idle_mib": memory[0],
        "memory_loaded_mib": memory[1],
    });
    let text = serde_json::to_string_pretty(&json).unwrap();
    std::fs::write(directory.join("server.json"), text).unwrap();
    std::fs::write(directory.join("server.svg"), draw(rows)).unwrap();
}

/// A bar for each row: the share of the bare route, which is the whole width.
fn draw(rows: &[Row]) -> String {
    const LINE: usize = 28;
    const BAR: f64 = 360.0;
    let height = rows.len() * LINE + 34;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"760\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"210\" y=\"20\" fill=\"#57606a\">requests a second on one core; the full width is \
         a bare route</text>\n"
    );
    for (at, row) in rows.iter().enumerate() {
        let y = 30 + at * LINE;
        let width = BAR * row.of_bare.min(1.0);
        writeln!(
            svg,
            "<text x=\"200\" y=\"{text}\" text-anchor=\"end\" fill=\"#1f2328\">{name}</text>\
             <rect x=\"210\" y=\"{y}\" width=\"{BAR}\" height=\"20\" fill=\"#eaeef2\"/>\
             <rect x=\"210\" y=\"{y}\" width=\"{width:.0}\" height=\"20\" fill=\"#0969da\"/>\
             <text x=\"580\" y=\"{text}\" fill=\"#1f2328\">{rate:.0} ({ratio:.2})</text>",
            text = y + 15,
            name = row.name,
            rate = row.rate,
            ratio = row.of_bare,
        )
        .unwrap();
    }
    svg + "</svg>\n"
}
