module.exports = {
  /** Where the Worker is. On a real phone: https, and a request domain in the console (开发管理 → 服务器域名). */
  baseUrl: 'http://127.0.0.1:8787',

  /**
   * wx-sim, which `npm run dev` starts: it plays WeChat for the Worker on this machine, so login codes must be its own.
   * `person` is who holds the phone. null once the Worker talks to WeChat itself.
   */
  simulator: { url: 'http://127.0.0.1:8788', person: 'xiaoming' },

  /** true: answers come through a WebSocket instead of a streamed request. */
  socket: false,

  /**
   * A subscribe message that the page "me" offers: its template, and what it says. Names of fields as in the template.
   * `{ templateId: '…', data: { thing1: { value: '…' } } }`; null for none.
   */
  subscribe: null,

  /** Whether the page "me" offers to link the phone number. Only verified accounts may ask for it, and WeChat charges. */
  phoneNumber: false,
}
