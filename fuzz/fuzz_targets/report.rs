//! A saved result: any text is refused, or renders in every format.
#![no_main]

use tokentrail::report::table::{Group, Look, Sort};
use tokentrail::report::{Format, Report, render};

tokentrail_fuzz::target!(|data| {
    let Ok(report) = serde_json::from_slice::<Report>(data) else {
        return;
    };
    for format in [
        Format::Table(Look {
            terminal: true,
            width: 80,
            color: true,
            sort: Sort::Newest,
            group: Some(Group::Application),
        }),
        Format::Json,
        Format::Ndjson,
        Format::Sarif,
        Format::Html,
        Format::Ocsf,
        Format::Ecs,
    ] {
        let mut out = Vec::new();
        render(&report, format, &mut out).expect("a buffer takes everything");
        let escape = out.iter().filter(|byte| **byte == 0x1b).count();
        assert!(
            matches!(format, Format::Table(_)) || escape == 0,
            "a control character got through"
        );
    }
});
