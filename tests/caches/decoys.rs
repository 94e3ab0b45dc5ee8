//! What ordinary browsing leaves in caches and session files: cache busters, entity tags, request numbers, signatures of
//! pictures, cookies of analytics, scripts that talk of tokens. None of it is a credential, and none is reported.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::NOW;
use super::write::{firefox, mozlz4, pickle, simple};

/// URL, further headers, body.
const PAGES: &[(&str, &str, &str)] = &[
    (
        "https://cdn.example/app.3f8a9c2b1d.js?v=9f86d081884c7d659a2feaa0c55ad015",
        "content-type: text/javascript",
        "function parse(token){if(token.type===\"name\"){return token.value}}var tokens=[];",
    ),
    (
        "https://cdn.example/vendor.js?ver=6.4.2",
        "content-type: application/javascript",
        "const KEY=\"access_token\";localStorage.getItem(KEY);export{KEY as key};",
    ),
    (
        "https://cdn.example/runtime.js",
        "content-type: text/javascript",
        "e.u=function(t){return t+\".\"+{179:\"0f3c2a9b8d7e6f5a\",341:\"9c8b7a6f5e4d3c2b\"}[t]+\".js\"};",
    ),
    (
        "https://fonts.example/css2?family=Inter:wght@400;700&display=swap",
        "content-type: text/css",
        "@font-face{font-family:Inter;src:url(https://fonts.example/s/inter/v13/UcC73FwrK3iLTeHuS_fvQtMwCp50KnMa1ZL7.woff2)}",
    ),
    (
        "https://www.google-analytics.com/g/collect?v=2&tid=G-AB12CD34EF&cid=1234567890.1699999999&sid=1700000000&sct=1&seg=0&dl=https%3A%2F%2Fshop.example%2F&dt=Shop&en=page_view",
        "content-type: text/plain",
        "",
    ),
    (
        "https://images.example/photo-150?auto=format&fit=crop&w=640&s=3b1f0e9a8c7d6e5f4a3b2c1d0e9f8a7b",
        "content-type: image/jpeg",
        "",
    ),
    (
        "https://shop.example/search?q=token+ring&page=2&sort=price",
        "content-type: text/html",
        "<title>token ring</title><input name=q value='token ring'>",
    ),
    (
        "https://shop.example/product/88?code=SAVE10&utm_source=mail&utm_campaign=bf26",
        "content-type: text/html",
        "<p>Use code=SAVE10 at the till",
    ),
    (
        "https://forum.example/thread?page_token=3&lang=en",
        "content-type: text/html",
        "<a href='/thread?page_token=4'>next</a>",
    ),
    (
        "https://weather.example/fresno?state=CA",
        "content-type: text/html",
        "<p>Fresno, state: CA",
    ),
    (
        "https://api.example/v1/items?cursor=eyJpZCI6MTIzNDV9&limit=20",
        "content-type: application/json",
        "{\"items\":[],\"next_cursor\":\"eyJpZCI6MTIzNjV9\",\"next_page_token\":null}",
    ),
    (
        "https://api.example/v1/flags?client=web",
        "content-type: application/json",
        "{\"flags\":{\"new_login\":true,\"token_refresh\":false},\"etag\":\"W/\\\"5f3c-1a2b\\\"\"}",
    ),
    (
        "https://api.example/v1/me",
        "content-type: application/json",
        "{\"token\":null,\"access_token\":\"\",\"id\":42}",
    ),
    (
        "https://app.example/locales/en.json",
        "content-type: application/json",
        "{\"password\":\"Password\",\"code\":\"Code\",\"access_token\":\"Access token\",\"refresh_token\":\"Refresh token\"}",
    ),
    (
        "https://app.example/manifest.json",
        "content-type: application/json",
        "{\"version\":\"3.1.4\",\"integrity\":\"sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC\"}",
    ),
    (
        "https://app.example/.well-known/openid-configuration",
        "content-type: application/json",
        "{\"issuer\":\"https://app.example\",\"authorization_endpoint\":\"https://app.example/authorize\",\"token_endpoint\":\"https://app.example/token\",\"grant_types_supported\":[\"authorization_code\",\"refresh_token\"],\"response_types_supported\":[\"code\",\"id_token token\"]}",
    ),
    (
        "https://app.example/jwks.json",
        "content-type: application/json",
        "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"2026-11\",\"e\":\"AQAB\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}]}",
    ),
    (
        "https://cdn.example/a.css",
        "etag: \"5f3c2a9b8d7e6f5a4b3c2d1e0f9a8b7c\"\nlast-modified: Mon, 23 Nov 2026 04:00:00 GMT",
        "p{color:red}",
    ),
    (
        "https://cdn.example/b.css",
        "x-request-id: 0b6f7a52-3c1d-4e8f-9a2b-5c6d7e8f9a0b\nx-correlation-id: 7f3e2d1c0b9a8f7e6d5c4b3a29181706",
        "p{}",
    ),
    (
        "https://cdn.example/c.css",
        "cf-ray: 8a1b2c3d4e5f6a7b-FRA\ncf-cache-status: HIT\nreport-to: {\"endpoints\":[{\"url\":\"https://a.nel.cloudflare.com/report/v4?s=AbC1dEf2GhI3jKl4MnO5pQr6StU7vWx8YzA9bCd0EfG1hIj2KlM3nOp4%3D\"}],\"group\":\"cf-nel\",\"max_age\":604800}",
        "p{}",
    ),
    (
        "https://cdn.example/d.css",
        "x-amz-request-id: 4Q5R6S7T8U9V0W1X\nx-amz-id-2: kJ8sD7fG6hJ5kL4zX3cV2bN1mQ0wE9rT8yU7iO6pA5sD4fG3hJ2kL1zX0cV9bN8m=\nx-amz-version-id: null_3sL4kqtJlcpXroDTDmJ",
        "p{}",
    ),
    (
        "https://cdn.example/e.css",
        "x-amz-cf-id: Qw3rT5yU7iO9pA1sD3fG5hJ7kL9zX1cV3bN5mQ7wE9rT1yU3iO5pA==\nvia: 1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)",
        "p{}",
    ),
    (
        "https://cdn.example/f.css",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\nserver-timing: cfRequestDuration;dur=21.9",
        "p{}",
    ),
    (
        "https://app.example/g.html",
        "content-security-policy: script-src 'nonce-rAnd0mN0nc3V4lu3' 'strict-dynamic'; report-uri /csp?v=2",
        "<p>",
    ),
    (
        "https://app.example/h.html",
        "set-cookie: _ga=GA1.2.1234567890.1699999999; Path=/\nset-cookie: _gid=GA1.2.987654321.1700000000; Path=/",
        "<p>",
    ),
    (
        "https://app.example/i.html",
        "set-cookie: _fbp=fb.1.1699999999999.1234567890; Path=/\nset-cookie: theme=dark; Path=/",
        "<p>",
    ),
    (
        "https://app.example/j.html",
        "set-cookie: OptanonConsent=isGpcEnabled=0&datestamp=Mon+Nov+23+2026&version=202405.1.0&groups=C0001%3A1; Path=/",
        "<p>",
    ),
    (
        "https://app.example/k.html",
        "set-cookie: lang=en-GB; Path=/\nset-cookie: cart=3; Path=/",
        "<p>",
    ),
    (
        "https://app.example/l.html",
        "link: </s.css>; rel=preload; as=style\nsourcemap: /l.js.map",
        "<p>",
    ),
    (
        "https://app.example/m.html",
        "refresh: 300; url=/m.html?tick=2",
        "<p>",
    ),
    (
        "https://app.example/n",
        "location: /login?next=%2Fn%3Fpage%3D2\nx-frame-options: DENY",
        "",
    ),
    (
        "https://video.example/seg-42.ts?range=0-1023&seq=42&hash=d41d8cd98f00b204e9800998ecf8427e",
        "content-type: video/mp2t",
        "",
    ),
    (
        "https://tile.example/12/2048/1361.pbf?v=3&style=streets-v11@00o",
        "content-type: application/x-protobuf",
        "",
    ),
    (
        "https://static.example/_next/static/chunks/pages/_app-9f8e7d6c5b4a3f2e.js",
        "content-type: text/javascript",
        "(self.webpackChunk=self.webpackChunk||[]).push([[888],{83454:function(e,t){t.token=void 0;t.csrf=\"\"}}])",
    ),
    (
        "https://www.youtube.com/s/player/0b866fa6/player_ias.vflset/en_US/base.js",
        "content-type: text/javascript",
        "g.k.getToken=function(){return this.token};var code=a.charCodeAt(0);",
    ),
];

const SESSION: &str = r#"{"version":["sessionrestore",1],"windows":[{"tabs":[
{"entries":[{"url":"https://shop.example/search?q=kettle&page=2","title":"kettle - code SAVE10","cacheKey":0,"ID":9,"docshellUUID":"{bbdff3a7-ce94-4dfc-b0b1-ded5468c3d90}","referrerInfo":"BBoSnxDOS9qmDeAnom1e0AAAAAAAAAAAwAAAAAAAAEYBAAAAAAEAAAAAAA==","persist":true}],
"lastAccessed":1795410000250,"storage":{"https://shop.example":{"theme":"dark","cartId":"7","lastVisit":"1795410000","scroll":"0,100","abTest":"variant-b"}},
"formdata":{"id":{"q":"token ring","email":"ann@shop.example"}}},
{"entries":[{"url":"about:newtab","title":"New Tab"}],"userTypedValue":"weather state: CA"}],
"_closedTabs":[{"state":{"entries":[{"url":"https://news.example/2026/11/23/code-red?utm_source=rss","title":"Code red"}]},"closedAt":1795400000000}]}],
"cookies":[{"host":".shop.example","value":"GA1.2.1234567890.1699999999","path":"/","name":"_ga"},{"host":"shop.example","value":"en-GB","path":"/","name":"lang"}]}"#;

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn ordinary_browsing_is_silent() {
    let dir = tempfile::tempdir().unwrap();
    for (number, (url, headers, body)) in PAGES.iter().enumerate() {
        let headers = format!("HTTP/1.1 200 OK\n{headers}");
        let key = format!("1/0/_dk_https://app.example https://app.example {url}");
        let file = simple(&key, &pickle(&headers, NOW), body.as_bytes());
        write(
            dir.path(),
            &format!("google-chrome/Default/Cache/Cache_Data/{number:016x}_0"),
            &file,
        );
        let head = format!("{}\r\n", headers.replace('\n', "\r\n"));
        let elements = [("request-method", "GET"), ("response-head", head.as_str())];
        let file = firefox(&format!(":{url}"), &elements, body.as_bytes(), NOW as u32);
        write(
            dir.path(),
            &format!("firefox/x.default/cache2/entries/{number:040X}"),
            &file,
        );
    }
    write(
        dir.path(),
        "firefox/x.default/sessionstore.jsonlz4",
        &mozlz4(SESSION.as_bytes()),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args([
            "scan",
            "-f",
            "json",
            "--reveal",
            "values",
            "--as-of",
            "2026-11-24T00:00:00Z",
        ])
        .arg(dir.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let shown: Vec<String> = findings
        .iter()
        .map(|it| format!("{} {} {}", it["kind"], it["value"], it["sightings"][0]))
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
    let read = report["sources"].as_array().unwrap();
    assert_eq!(read.len(), 2 * PAGES.len() + 1);
    assert!(read.iter().all(|source| source["status"] == "read"));
    assert!(PAGES.len() >= 30);
}
