/** The default theme, with the fonts of the system. */
import { useData } from 'vitepress'
import theme from 'vitepress/theme-without-fonts'
import { onMounted, watch } from 'vue'
import './style.css'

export default {
  extends: theme,
  /** Marks the content of the start page and of the page 404 for screen readers. VitePress does so on all other pages. */
  setup() {
    const { frontmatter, page } = useData()
    const lacksRole = () => frontmatter.value.layout === 'home' || page.value.isNotFound === true
    const mark = (lacks: boolean) => {
      const content = document.getElementById('VPContent')
      if (lacks) content?.setAttribute('role', 'main')
      else content?.removeAttribute('role')
    }
    onMounted(() => watch(lacksRole, mark, { immediate: true, flush: 'post' }))
  },
}
