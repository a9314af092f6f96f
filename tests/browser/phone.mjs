// The page as a person uses it: what they can do, and what they see. Everything waits for the thing itself.

/** How long anything but WeChat's own clocks may take, in milliseconds. */
const SOON = 15_000;

/** How the page calls the things that tests touch. */
const words = {
  zh: { input: "发消息", menu: "公众号菜单", keyboard: "切换到键盘", settings: "设置", phone: "手机" },
  en: { input: "Message", menu: "The account's menu", keyboard: "Show the keyboard", settings: "Settings", phone: "Phone" },
};

export class Phone {
  #page;
  #words;

  constructor(page, lang) {
    this.#page = page;
    this.#words = words[lang];
  }

  /** Chooses whose phone is shown. */
  async pick(name) {
    const narrow = (await this.#page.locator(".chooser").count()) > 0;
    if (narrow) await this.show(this.#words.settings);
    await this.#page.getByRole("radio", { name, exact: true }).check();
    if (narrow) await this.show(this.#words.phone);
  }

  /** In a narrow window: shows one of the columns. */
  async show(column) {
    await this.#page.getByRole("tab", { name: column, exact: true }).click();
  }

  /** Where messages are typed. */
  get input() {
    return this.#page.getByRole("textbox", { name: this.#words.input, exact: true });
  }

  /** The account's menu at the bottom. */
  get menu() {
    return this.#page.getByRole("navigation", { name: this.#words.menu });
  }

  /** From the menu to the keyboard. */
  async toKeyboard() {
    await this.menu.getByRole("button", { name: this.#words.keyboard }).click();
  }

  /** What the title bar says. */
  get title() {
    return this.#page.getByTestId("phone-title");
  }

  /** Lines of the chat: of the `person`, of the `account`, or a `notice`. */
  lines(from, kind) {
    const exact = kind ? `[data-kind=${kind}]` : "";
    return this.#page.getByTestId("chat").locator(`[data-testid=line][data-from=${from}]${exact}`);
  }

  /** WeChat's own line when the account fails. */
  get errorLine() {
    return this.#page.getByTestId("error-line");
  }

  /** Types a text and sends it; resolves with its line. */
  async say(text) {
    await this.input.fill(text);
    await this.input.press("Enter");
    return this.sees("person", text);
  }

  /** Waits until a line of `from` contains `text`, or matches it; resolves with the last one that does. */
  async sees(from, text, timeout = SOON) {
    const line = this.lines(from).filter({ hasText: text }).last();
    await line.waitFor({ timeout });
    return line;
  }

  /** Taps a link or a button in the account's last line that has it. */
  async tap(label) {
    await this.lines("account").getByRole("button", { name: label }).last().click();
  }

  /** The rings below a line of the person's, when all deliveries are over: state and colour of each. */
  async rings(line, timeout = SOON) {
    await line.locator("[data-state]").first().waitFor({ timeout });
    await line.locator("[data-state=running]").waitFor({ state: "detached", timeout });
    return line.locator("[data-testid=rings] [data-state]").evaluateAll((rings) => {
      const colour = (ring) => {
        const [red, green] = getComputedStyle(ring.querySelector(".ring-fill")).stroke.match(/\d+/g).map(Number);
        return red > green ? "red" : "green";
      };
      return rings.map((ring) => `${colour(ring)} ${ring.dataset.state}`);
    });
  }
}
