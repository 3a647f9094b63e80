//! What a run takes does not grow with the data set.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::files::{Folder, npy};

/// Points of a data set that would take 600 MB as binary64 numbers.
const POINTS: usize = 100_000;

/// Elements of a point.
const ELEMENTS: usize = 784;

/// The most memory that the run may take, in kB.
const MOST: u64 = 1_000_000;

/// A network that adds up two halves of the input: `y_0` the first, `y_1` the second.
fn network() -> String {
    let row = |is_first: bool| {
        let weight = |i: usize| if (i < ELEMENTS / 2) == is_first { "1," } else { "0," };
        (0..ELEMENTS).map(weight).collect::<String>()
    };
    let repeated = |text: &str| text.repeat(ELEMENTS);
    let head = format!("1,{ELEMENTS},2,{ELEMENTS},\n{ELEMENTS},2,\n0,\n");
    let scales = format!("{}\n{}\n{}0,\n{}1,\n", repeated("-9,"), repeated("9,"), repeated("0,"), repeated("1,"));
    format!("{head}{scales}{}\n{}\n0,\n0,\n", row(true), row(false))
}

/// Writes points of which the first or the second half is brighter, by more or less.
fn write_points(folder: &Folder) {
    let header = npy("|u1", &format!("({POINTS}, {ELEMENTS})"), &[]);
    let mut points = BufWriter::new(File::create(folder.path().join("many.npy")).unwrap());
    points.write_all(&header).unwrap();
    let mut labels = Vec::new();
    for point in 0..POINTS {
        let (first, second) = if point % 2 == 0 { (1 + (point % 5) as u8, 0) } else { (0, 2) };
        let (half, other) = ([first; ELEMENTS / 2], [second; ELEMENTS / 2]);
        points.write_all(&half).and_then(|()| points.write_all(&other)).unwrap();
        labels.push((point % 2) as u8);
    }
    points.flush().unwrap();
    folder.write("many_labels.npy", npy("|u1", &format!("({POINTS},)"), &labels));
}

#[test]
fn a_hundred_thousand_points_take_less_than_a_gigabyte() {
    let folder = Folder::new();
    folder.write("sums.nnet", network());
    write_points(&folder);
    let args =
        "certify sums.nnet --data many.npy --labels many_labels.npy --radius 0.75 --store many.db --json many.json";
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("bartizan"));
    command.current_dir(folder.path()).args(args.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or(0));
        thread::sleep(Duration::from_millis(5));
    }
    assert!(run.wait().unwrap().success());
    let report: serde_json::Value = serde_json::from_str(&folder.read("many.json")).unwrap();
    // Those that are brighter by 1 lose their class, and all others do not.
    assert_eq!((&report["points"], &report["unknown"]), (&POINTS.into(), &0.into()));
    assert_eq!((&report["certified"], &report["falsified"]), (&90_000.into(), &10_000.into()));
    println!("peak of memory: {peak} kB");
    assert!((1..MOST).contains(&peak), "{peak} kB");
}
