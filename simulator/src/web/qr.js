// Follows the phone that scans the code. Without it, the person is picked on this page.
const status = document.querySelector("[data-uuid]");
const { uuid, scanned } = status.dataset;
let last = "waiting";
for (;;) {
  const query = new URLSearchParams({ uuid, last });
  const { state, url } = await (await fetch(`/connect/l/qrconnect?${query}`)).json();
  if (url) {
    location.replace(url);
    break;
  }
  if (state === "expired") {
    location.reload();
    break;
  }
  if (state === "scanned") {
    status.textContent = scanned;
  }
  last = state;
}
