const config = require('../../config.js')
const { t, fill } = require('../../utils/strings.js')
const { toast, confirm, explain, current, unsent } = require('../../utils/ui.js')

Page({
  data: {
    t,
    loggedIn: false,
    service: t.loading,
    offersPhone: config.phoneNumber,
    offersSubscribe: config.subscribe !== null,
    phone: '',
  },

  onLoad() {
    wx.setNavigationBarTitle({ title: t.meTitle })
    this.api = getApp().api
  },

  async onShow() {
    this.setData({ loggedIn: this.api.loggedIn })
    const ok = await this.api.health().then(() => true, () => false)
    this.setData({ service: ok ? t.serviceOk : t.serviceDown })
  },

  /** As a file to send to oneself; where WeChat has no such call, as text in the clipboard. */
  exportData() {
    return this.try(async () => {
      const text = JSON.stringify(await this.api.exportData(), null, 2)
      if (!wx.canIUse('shareFileMessage')) {
        return wx.setClipboardData({ data: text, success: () => toast(t.exported) })
      }
      const filePath = `${wx.env.USER_DATA_PATH}/wxapi-export.json`
      wx.getFileSystemManager().writeFileSync(filePath, text, 'utf8')
      wx.shareFileMessage({ filePath, fail: () => {} })
    })
  },

  logout() {
    return this.try(async () => {
      await this.api.logout()
      this.begin(t.loggedOutNow)
    })
  },

  async forgetMe() {
    if (!(await confirm(t.forgetTitle, t.forgetText, t.forgetYes))) return
    await this.try(async () => {
      await this.api.forgetMe()
      this.begin(t.forgotten)
    })
  },

  /** An empty chat, and nothing of before. */
  begin(words) {
    current.clear()
    unsent.clear()
    wx.reLaunch({ url: '/pages/chat/chat', success: () => toast(words) })
  },

  /** WeChat shows its own question first; without a code the person said no. */
  linkPhone({ detail }) {
    if (!detail.code) return
    return this.try(async () => {
      const { purePhoneNumber } = await this.api.phoneNumber(detail.code)
      this.setData({ phone: fill(t.phoneIs, { n: purePhoneNumber.replace(/^(\d{3})\d+(\d{2})$/, '$1****$2') }) })
    })
  },

  /** Must be in the handler of a tap: WeChat asks nobody out of the blue. */
  subscribe() {
    const { templateId, data } = config.subscribe
    return new Promise(resolve => {
      wx.requestSubscribeMessage({ tmplIds: [templateId], success: resolve, fail: () => resolve({}) })
    }).then(choices => {
      if (choices[templateId] !== 'accept') return toast(t.notSubscribed)
      return this.try(async () => {
        await this.api.subscribeMessage({ template_id: templateId, page: 'pages/chat/chat', data })
        toast(t.subscribed)
      })
    })
  },

  async try(work) {
    try {
      await work()
    } catch (error) {
      toast(explain(error))
    }
  },
})
