//! Histories of shells, and what the audit system saw: a command is told with its time and all its lines, however it is
//! read.

use super::{Bounds, Cursor, Evidence, Observation, read_with, shown};

/// What is told of a history: when, and what; the same in windows of every size.
fn told(name: &str, history: &str) -> Vec<String> {
    let read = |window| {
        let evidence = Evidence::stream(Box::new(Cursor::new(history.as_bytes().to_vec())), name);
        let bounds = Bounds {
            window,
            ..Bounds::default()
        };
        let reading = read_with(&evidence.unwrap(), bounds, None);
        assert_eq!(reading.problems, Vec::<String>::new());
        let one = |observation: &Observation| {
            let at = observation.at.map(|at| at.instant.to_string());
            let shown = shown(observation).replace('\r', "↵");
            format!("{} {shown}", at.as_deref().unwrap_or("-"))
        };
        reading.observations.iter().map(one).collect::<Vec<_>>()
    };
    let whole = read(1 << 18);
    for window in [1, 7, 64] {
        assert_eq!(read(window), whole, "{window}");
    }
    whole
}

#[test]
fn commands_of_bash_have_the_time_above_them() {
    let history = "curl -d code=before-x https://a.example/\n\
        #1763861284\ncd x\n\
        #1763861285\ncurl -d code=after-x https://a.example/\ncurl -d code=none-x https://a.example/\n";
    assert_eq!(
        told(".bash_history", history),
        [
            "- 1@0 text text curl -d code=before-x https://a.example/",
            "2025-11-23T01:28:05Z 4@58 text text curl -d code=after-x https://a.example/",
            "- 6@110 text text curl -d code=none-x https://a.example/",
        ]
    );
}

#[test]
fn a_body_over_several_lines_has_the_time_of_its_command() {
    let history = "#1763861284\ncurl -d '{\n  \"grant_type\": \"refresh_token\",\n  \"refresh_token\": \"first-x\"\n}' x\n\
        #1763861285\nls\n";
    assert_eq!(
        told(".bash_history", history),
        [
            "2025-11-23T01:28:04Z 1@0 text text curl -d '{↵  \"grant_type\": \"refresh_token\",↵  \"refresh_token\": \"first-x\"↵}' x",
        ]
    );
}

#[test]
fn commands_of_zsh_go_on_over_lines() {
    let history = ": 1763861284:0;curl \\\\\n  -d code=first-x \\\\\n  https://a.example/\n\
        : 1763861285:12;curl -d code=other-x https://a.example/\n";
    for name in [".zsh_history", "copied"] {
        assert_eq!(
            told(name, history),
            [
                "2025-11-23T01:28:04Z 1@0 text text curl \\↵  -d code=first-x \\↵  https://a.example/",
                "2025-11-23T01:28:05Z 4@65 text text curl -d code=other-x https://a.example/",
            ]
        );
    }
}

#[test]
fn commands_of_fish_have_their_time_below_them() {
    let history = "- cmd: curl -d code=first-x https://a.example/\n  when: 1763861284\n\
        - cmd: cat x\n  when: 1763861285\n  paths:\n    - x\n\
        - cmd: curl -d code=other-x https://a.example/\n  when: 1763861286\n  paths:\n    - x\n";
    assert_eq!(
        told("fish_history", history),
        [
            "2025-11-23T01:28:04Z 1@0 text text curl -d code=first-x https://a.example/",
            "2025-11-23T01:28:06Z 7@115 text text curl -d code=other-x https://a.example/",
        ]
    );
}

#[test]
fn commands_of_powershell_go_on_over_lines() {
    let history = "cd C:\\\r\nInvoke-RestMethod `\r\n  -Body 'code=first-x' `\r\n  https://a.example/\r\nls\r\n";
    assert_eq!(
        told("ConsoleHost_history.txt", history),
        ["- 2@8 text text Invoke-RestMethod ` ↵  -Body 'code=first-x' ` ↵  https://a.example/ ",]
    );
}

#[test]
fn commands_of_the_audit_system_are_read_out_of_their_hexadecimal() {
    let hex = |text: &str| data_encoding::HEXUPPER.encode(text.as_bytes());
    let log = format!(
        "type=EXECVE msg=audit(1763861284.279:456): argc=3 a0=\"curl\" a1=\"-H\" a2={}\n\
         type=USER_CMD msg=audit(1763861285.000:457): pid=1 msg='cwd=\"/\" cmd={} res=success'\n",
        hex("Authorization: Bearer first-x"),
        hex("curl -u a:other-x"),
    );
    let told = told("audit.log", &log);
    let told: Vec<_> = told
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        told,
        [
            "2025-11-23T01:28:04.279Z 1@0 text text type=EXECVE msg=audit(1763861284.279:456): argc=3 a0=\"curl\" a1=\"-H\" a2=\"Authorization: Bearer first-x\"",
            "2025-11-23T01:28:05Z 2@130 text text type=USER_CMD msg=audit(1763861285.000:457): pid=1 msg='cwd=\"/\" cmd=curl -u a:other-x res=success'",
        ]
    );
}
