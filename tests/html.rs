//! The page of `--format html`, in a real browser: it runs, loads nothing, filters, obeys the
//! keyboard, can be read, prints, and shows what a configuration says as text only.
//!
//! `STEKGUARD_SCREENSHOTS=DIR` keeps pictures of it for people to look at.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod browser;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use browser::Browser;
use serde_json::{Value, json};
use tempfile::TempDir;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo")
}

/// The page of a command as a file.
fn page(directory: &TempDir, arguments: &[&str], code: i32) -> PathBuf {
    let file = directory.path().join("page.html");
    let output = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(arguments)
        .args(["--format", "html", "-o", file.to_str().unwrap()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
    file
}

/// The demo's page in a browser. The directory has to outlive it.
fn shown(command: &str, code: i32) -> (Browser, TempDir) {
    let directory = TempDir::new().unwrap();
    let file = page(&directory, &[command, demo().to_str().unwrap()], code);
    let browser = Browser::start();
    browser.look(1280, "light");
    browser.open(&file);
    (browser, directory)
}

fn visible(browser: &Browser, query: &str) -> u64 {
    browser.number(&format!(
        "return Array.from(document.querySelectorAll({query:?})).filter(function (it) {{ \
         return it.getClientRects().length > 0; }}).length"
    ))
}

/// Keeps a picture where one is asked for.
fn picture(browser: &Browser, name: &str) {
    let Some(directory) = std::env::var_os("STEKGUARD_SCREENSHOTS") else {
        return;
    };
    let shot = browser.devtools(
        "Page.captureScreenshot",
        &json!({"format": "png", "captureBeyondViewport": true}),
    );
    let file = Path::new(&directory).join(format!("{name}.png"));
    let mut decode = Command::new("base64")
        .arg("-d")
        .stdin(Stdio::piped())
        .stdout(fs::File::create(file).unwrap())
        .spawn()
        .unwrap();
    let text = shot["data"].as_str().unwrap();
    decode
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(decode.wait().unwrap().success());
}

#[test]
fn every_page_runs_without_a_word_on_the_console_and_loads_nothing() {
    for (command, code) in [("lint", 1), ("inspect", 0), ("fix", 1)] {
        let (browser, _directory) = shown(command, code);
        assert_eq!(browser.console(), [""; 0], "{command}");
        let loaded = browser.run(
            "return performance.getEntriesByType('resource').map(function (it) { return it.name; })",
        );
        assert_eq!(loaded, json!([]), "{command}");
        // The script ran: it shows the filters and folds the reasons away.
        assert!(visible(&browser, "form.filter") > 0, "{command}");
        assert_eq!(visible(&browser, "tr.reasons"), 0, "{command}");
        assert_eq!(visible(&browser, "table.matrix tbody"), 7, "{command}");
        assert!(visible(&browser, "svg.picture rect") > 8, "{command}");
        picture(&browser, &format!("{command}-light"));
        browser.look(1280, "dark");
        picture(&browser, &format!("{command}-dark"));
    }
}

#[test]
fn filters_hide_what_does_not_fit_and_count() {
    let (browser, _directory) = shown("lint", 1);
    let said = |form: &str| {
        let script =
            format!("return document.querySelector('form[data-filter={form}] output').textContent");
        browser.run(&script).as_str().unwrap().to_owned()
    };
    assert_eq!(visible(&browser, "article"), 12);
    browser.run("document.querySelector('input[value=error]').click()");
    assert_eq!(visible(&browser, "article"), 9);
    assert_eq!(visible(&browser, "article.error"), 0);
    assert_eq!(said("finding"), "9 of 12 shown");

    let choose = |form: &str, name: &str, value: &str| {
        browser.run(&format!(
            "var it = document.querySelector('form[data-filter={form}]').elements[{name:?}]; \
             it.value = {value:?}; it.dispatchEvent(new Event('change', {{bubbles: true}}))"
        ));
    };
    choose("finding", "rule", "ignored-session-directive");
    assert_eq!(visible(&browser, "article"), 3);
    choose("finding", "text", "SHOP:10m");
    assert_eq!(visible(&browser, "article"), 1);
    choose("finding", "text", "no such words");
    assert_eq!(
        (visible(&browser, "article"), &*said("finding")),
        (0, "0 of 12 shown")
    );

    // The matrix has a filter of its own.
    assert_eq!(visible(&browser, "table.matrix tbody"), 7);
    choose("endpoint", "state", "never");
    let rows = visible(&browser, "table.matrix tbody");
    choose("endpoint", "state", "ticket");
    assert_eq!((rows, visible(&browser, "table.matrix tbody")), (1, 5));
    choose("endpoint", "text", "legacy");
    assert_eq!(visible(&browser, "table.matrix tbody"), 1);
    choose("endpoint", "state", "auth");
    assert_eq!(said("endpoint"), "0 of 7 shown");
}

/// Presses Tab until the element with this query has the focus.
fn tab_to(browser: &Browser, query: &str) {
    for _ in 0..80 {
        browser.keys(&[TAB]);
        let here = browser.run(&format!("return document.activeElement.matches({query:?})"));
        if here == Value::Bool(true) {
            return;
        }
    }
    panic!("Tab never reaches {query}");
}

#[test]
fn everything_can_be_done_with_the_keyboard() {
    let (browser, _directory) = shown("lint", 1);
    browser.keys(&[TAB]);
    let first = browser.run("return document.activeElement.className");
    assert_eq!(first, "skip", "the first stop leads past the navigation");
    // What has the focus can be seen to have it.
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid");
    browser.keys(&[ENTER]);
    assert_eq!(browser.run("return location.hash"), "#main");

    tab_to(&browser, "input[type=search]");
    browser.typed("blog");
    assert_eq!(visible(&browser, "article"), 1);
    tab_to(&browser, "input[value=warning]");
    browser.keys(&[" "]);
    assert_eq!(visible(&browser, "article"), 0);
    browser.keys(&[" "]);
    tab_to(&browser, "article a.about");
    browser.keys(&[ENTER]);
    assert_eq!(visible(&browser, "details.page[open]:target h3"), 3);
    browser.run("document.querySelector('details[open] summary').focus()");
    browser.keys(&[ENTER]);
    assert_eq!(visible(&browser, "details.page[open]"), 0);
    browser.run("document.querySelector('form[data-filter=endpoint] input').focus()");
    tab_to(&browser, "button.why");
    browser.keys(&[ENTER]);
    let expanded = browser.run("return document.activeElement.getAttribute('aria-expanded')");
    assert_eq!(expanded, "true");
    assert_eq!(visible(&browser, "tr.reasons"), 1);
    browser.keys(&[" "]);
    assert_eq!(visible(&browser, "tr.reasons"), 0);

    browser.run("document.getElementById('theme').focus()");
    let back = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(back);
    browser.keys(&[ENTER, ENTER]);
    assert_eq!(
        browser.run("return document.activeElement.textContent"),
        "Theme: dark"
    );
    assert_ne!(browser.run(back), light);
    assert_eq!(browser.console(), [""; 0]);
}

/// Text whose contrast with what is behind it is below what WCAG 2.1 asks (1.4.3, AA).
const CONTRAST: &str = r"
    var channel = function (c) {
        c /= 255;
        return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    };
    var light = function (c) {
        return 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
    };
    var colour = function (text) {
        var parts = text.match(/[\d.]+/g).map(Number);
        return parts.length < 4 ? parts.concat(1) : parts;
    };
    var behind = function (node) {
        for (; node && node.nodeType === 1; node = node.parentElement) {
            var c = colour(getComputedStyle(node).backgroundColor);
            if (c[3] === 1) { return c; }
        }
        return [255, 255, 255, 1];
    };
    var poor = [], seen = 0;
    var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        var node = walker.currentNode.parentElement;
        var style = getComputedStyle(node);
        if (!walker.currentNode.data.trim() || node.getClientRects().length === 0 ||
            node.closest('.hide, svg, script, style')) { continue; }
        var a = light(colour(style.color)), b = light(behind(node));
        var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        var size = parseFloat(style.fontSize);
        var big = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        seen += 1;
        if (ratio < (big ? 3 : 4.5)) {
            poor.push(ratio.toFixed(2) + ' ' + node.className + ': ' +
                walker.currentNode.data.slice(0, 40));
        }
    }
    return {poor: poor, seen: seen};
";

#[test]
fn the_page_can_be_read_and_heard() {
    for (command, code) in [("lint", 1), ("fix", 1), ("inspect", 0)] {
        let (browser, _directory) = shown(command, code);
        for (landmark, count) in [
            ("main", 1),
            ("nav[aria-label]", 1),
            ("h1", 1),
            ("footer", 1),
        ] {
            let found = browser.number(&format!(
                "return document.querySelectorAll({landmark:?}).length"
            ));
            assert_eq!(found, count, "{command}: {landmark}");
        }
        // Headings go down one step at a time.
        let levels = browser.run(
            "return Array.from(document.querySelectorAll('h1,h2,h3,h4')).map(function (it) { \
             return Number(it.tagName.slice(1)); })",
        );
        let levels: Vec<u64> = levels
            .as_array()
            .unwrap()
            .iter()
            .flat_map(Value::as_u64)
            .collect();
        assert!(
            levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
            "{command}: {levels:?}"
        );
        let unnamed = browser.run(
            "return Array.from(document.querySelectorAll('input,select,button,svg,[role=region],\
             section,article')).filter(function (it) { \
             var label = it.getAttribute('aria-label') || it.labels && it.labels.length || \
             it.textContent.trim() && it.tagName === 'BUTTON'; \
             var by = it.getAttribute('aria-labelledby'); \
             if (by) { label = by.split(' ').every(function (id) { \
             return document.getElementById(id); }); } \
             return !label; }).map(function (it) { return it.outerHTML.slice(0, 80); })",
        );
        assert_eq!(unnamed, json!([]), "{command}");
        let repeated = browser.run(
            "var all = Array.from(document.querySelectorAll('[id]')).map(function (it) { \
             return it.id; }); return all.filter(function (id, at) { \
             return all.indexOf(id) !== at; })",
        );
        assert_eq!(repeated, json!([]), "{command}");
        browser
            .run("document.querySelectorAll('details').forEach(function (it) { it.open = true; })");
        browser
            .run("document.querySelectorAll('button.why').forEach(function (it) { it.click(); })");
        for scheme in ["light", "dark"] {
            browser.look(1280, scheme);
            // Colours that fade are looked at when they stand.
            std::thread::sleep(std::time::Duration::from_millis(300));
            let contrast = browser.run(CONTRAST);
            assert_eq!(contrast["poor"], json!([]), "{command}, {scheme}");
            let seen = contrast["seen"].as_u64().unwrap();
            println!("{command}, {scheme}: {seen} texts have enough contrast");
            assert!(seen > 100);
        }
    }
}

#[test]
fn it_fits_a_telephone_and_paper() {
    let (browser, _directory) = shown("fix", 1);
    for width in [320, 390, 768] {
        browser.look(width, "light");
        let over = browser.run(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert_eq!(over, 0, "at {width} pixels");
    }
    browser.look(390, "dark");
    picture(&browser, "fix-narrow");
    browser.look(1280, "dark");
    browser.devtools(
        "Emulation.setEmulatedMedia",
        &json!({"media": "print", "features":
        [{"name": "prefers-color-scheme", "value": "dark"}]}),
    );
    for control in [".filter", ".top", "button.why"] {
        assert_eq!(visible(&browser, control), 0, "{control} on paper");
    }
    let body = browser.run(
        "var it = getComputedStyle(document.body); \
                            return it.color + ' on ' + it.backgroundColor",
    );
    assert_eq!(
        body, "rgb(0, 0, 0) on rgb(255, 255, 255)",
        "dark screens print on white"
    );
    let paper = browser.devtools("Page.printToPDF", &json!({}));
    assert!(
        paper["data"].as_str().unwrap().starts_with("JVBERi"),
        "a PDF"
    );
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn what_a_configuration_says_stays_text() {
    const EVIL: &str = "<img src=x onerror=window.owned=1>";
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join(EVIL);
    fs::create_dir_all(&folder).unwrap();
    let text = "events {}\nhttp {\n    server {\n        listen 443 ssl; # <script>window.owned=1</script>\n        \
                server_name \"</title></style><script>window.owned=1</script>\" '\"><svg/onload=window.owned=1>';\n        \
                ssl_certificate a.pem;\n        ssl_certificate_key a.key;\n        \
                ssl_session_tickets on; # --></del></script><b id=x>\n        \
                ssl_session_ticket_key \"</td><script>window.owned=1</script>&quot;\";\n        \
                ssl_session_timeout 30d; # '\"><iframe src=javascript:window.owned=1>\n    }\n}\n";
    let root = folder.join("nginx.conf");
    fs::write(&root, text).unwrap();
    let browser = Browser::start();
    for (command, code) in [("lint", 1), ("inspect", 0), ("fix", 1)] {
        let place = TempDir::new().unwrap();
        let file = page(&place, &[command, root.to_str().unwrap()], code);
        browser.open(&file);
        assert_eq!(browser.console(), [""; 0], "{command}");
        assert_eq!(browser.run("return window.owned || 0"), 0, "{command}");
        let counts = "return [document.scripts.length, document.images.length, \
                      document.querySelectorAll('iframe,object,embed,link,base,[onload],[onerror],\
                      [style],#x').length, document.querySelectorAll('title').length > 0]";
        assert_eq!(browser.run(counts), json!([1, 0, 0, true]), "{command}");
        let shown = browser.run("return document.body.innerText");
        let shown = shown.as_str().unwrap();
        assert!(
            shown.contains(EVIL),
            "{command}: the path is shown as it is"
        );
        assert!(
            shown.contains("<script>window.owned=1</script>"),
            "{command}: so are names"
        );
        // Also where the policy did not hold, no script of the configuration would be there.
        let bytes = fs::read_to_string(&file).unwrap();
        assert_eq!(bytes.matches("<script").count(), 1, "{command}");
        assert_eq!(bytes.matches("</script>").count(), 1, "{command}");
        assert!(!bytes.contains("<img"), "{command}");
    }
}

#[test]
fn the_policy_of_the_page_is_in_force() {
    let (browser, _directory) = shown("inspect", 0);
    // Were something to slip through, the browser would still not run it.
    browser.run(
        "var it = document.createElement('script'); it.textContent = 'window.owned = 1'; \
         document.body.appendChild(it)",
    );
    assert_eq!(browser.run("return window.owned || 0"), 0);
    assert!(
        !browser.console().is_empty(),
        "the browser says that it refused"
    );
}

#[test]
fn what_was_not_read_stands_first() {
    let directory = TempDir::new().unwrap();
    let root = directory.path().join("nginx.conf");
    fs::write(&root, "events {}\nhttp {\n    include <gone>.conf;\n}\n").unwrap();
    let browser = Browser::start();
    for (path, words) in [
        (root.as_path(), "<gone>.conf"),
        (Path::new("/no/<such>/file"), "/no/<such>/file"),
    ] {
        for command in ["lint", "inspect", "fix"] {
            let file = page(&directory, &[command, path.to_str().unwrap()], 2);
            browser.open(&file);
            assert_eq!(browser.console(), [""; 0], "{command}");
            let text = browser.run("return document.querySelector('.problems').innerText");
            assert!(text.as_str().unwrap().contains(words), "{command}: {text}");
            let verdict = browser.run("return document.querySelector('.verdict').textContent");
            let verdict = verdict.as_str().unwrap();
            assert!(verdict.starts_with("Not complete"), "{command}: {verdict}");
        }
    }
}
