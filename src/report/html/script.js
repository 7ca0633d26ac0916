
"use strict";
(function () {
  var all = function (query, within) {
    return Array.prototype.slice.call((within || document).querySelectorAll(query));
  };

  // The reasons of an endpoint fold away; without a script they stay open.
  all("button.why").forEach(function (button) {
    var row = document.getElementById(button.getAttribute("aria-controls"));
    var show = function (open) {
      row.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
    };
    show(false);
    button.addEventListener("click", function () { show(row.hidden); });
  });

  // Filters: a form names the items that it hides.
  all("form[data-filter]").forEach(function (form) {
    var name = form.getAttribute("data-filter");
    var items = all("[data-item=\"" + name + "\"]").map(function (node) {
      return { node: node, text: node.textContent.toLowerCase() };
    });
    if (items.length === 0) { return; }
    var output = form.querySelector("output");
    var apply = function () {
      var text = form.elements.text.value.trim().toLowerCase();
      var grades = all("input[name=severity]:checked", form).map(function (box) {
        return box.value;
      });
      var rule = form.elements.rule ? form.elements.rule.value : "";
      var state = form.elements.state ? form.elements.state.value : "";
      var shown = 0;
      items.forEach(function (item) {
        var data = item.node.dataset;
        var fits = (text === "" || item.text.indexOf(text) >= 0) &&
          (rule === "" || data.rule === rule) &&
          (state === "" || (" " + data.state + " ").indexOf(" " + state + " ") >= 0) &&
          (!data.severity || grades.indexOf(data.severity) >= 0);
        item.node.hidden = !fits;
        if (fits) { shown += 1; }
      });
      output.textContent = shown + " of " + items.length + " shown";
    };
    form.addEventListener("input", apply);
    form.addEventListener("change", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.hidden = false;
    apply();
  });

  // A link to a rule unfolds its page.
  all("a.about").forEach(function (link) {
    link.addEventListener("click", function () {
      document.getElementById(link.getAttribute("href").slice(1)).open = true;
    });
  });

  // Pointing at a box of the picture shows what hangs on it.
  all(".picture").forEach(function (picture) {
    var light = function (domains) {
      picture.classList.toggle("focus", domains !== null);
      var hit = function (names) {
        return domains !== null && names.some(function (it) { return domains.indexOf(it) >= 0; });
      };
      all("path", picture).forEach(function (path) {
        path.classList.toggle("on", hit([path.dataset.domain]));
      });
      all(".node", picture).forEach(function (node) {
        node.classList.toggle("on", hit(node.dataset.domains.split(" ")));
      });
    };
    all(".node", picture).forEach(function (node) {
      node.addEventListener("mouseenter", function () { light(node.dataset.domains.split(" ")); });
      node.addEventListener("mouseleave", function () { light(null); });
    });
  });

  // The theme: as the system has it, or the other one; kept nowhere.
  var themes = ["system", "light", "dark"];
  var theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    var now = document.documentElement.getAttribute("data-theme") || "system";
    var next = themes[(themes.indexOf(now) + 1) % themes.length];
    if (next === "system") {
      document.documentElement.removeAttribute("data-theme");
    } else {
      document.documentElement.setAttribute("data-theme", next);
    }
    theme.textContent = "Theme: " + next;
  });

  // On paper nothing can be unfolded, so the tables of domains are printed open.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = all("details.astable:not([open]), details.affects:not([open])");
    opened.forEach(function (it) { it.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (it) { it.open = false; });
  });
}());
