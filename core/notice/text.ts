// The words of notices in each language. What stands in braces is filled in. Numbers, dates and money are written by
// Intl in the same language.

import type { Language } from "./language.ts";

export interface Words {
  readonly weekly: string;
  readonly monthly: string;
  readonly visitors: string;
  readonly visits: string;
  readonly pageviews: string;
  readonly bounce_rate: string;
  readonly visit_duration: string;
  readonly orders: string;
  readonly total_revenue: string;
  readonly events: string;
  readonly before: string;
  readonly sources: string;
  readonly pages: string;
  readonly changes: string;
  readonly change: string;
  readonly direct: string;
  readonly asOf: string;
  readonly look: string;
  readonly end: string;
  readonly spike: string;
  readonly drop: string;
  readonly silence: string;
  readonly first_order: string;
  readonly spikeOff: string;
  readonly dropOff: string;
  readonly silenceOff: string;
  readonly first_orderOff: string;
  readonly trafficSays: string;
  readonly silenceSays: string;
  readonly orderSays: string;
  readonly offSays: string;
  readonly goal: string;
  readonly goalSays: string;
  readonly doubt: string;
  readonly doubtSays: string;
  readonly confirm: string;
  readonly confirmSays: string;
  readonly test: string;
  readonly testSays: string;
}

export const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    weekly: "{shop}: the week of {from} to {to}",
    monthly: "{shop}: {month}",
    visitors: "Visitors",
    visits: "Visits",
    pageviews: "Page views",
    bounce_rate: "Bounce rate",
    visit_duration: "Time per visit",
    orders: "Orders",
    total_revenue: "Revenue",
    events: "Events",
    before: "before: {value}",
    sources: "Where visitors came from",
    pages: "Pages",
    changes: "What changed most",
    change: "{name}: {now} visitors, before {before}",
    direct: "Direct",
    asOf: "As of {time}. Hits that come late may still change it.",
    look: "All numbers: {link}",
    end: "No more of these: {link}",
    spike: "{shop}: unusually many visitors",
    drop: "{shop}: unusually few visitors",
    silence: "{shop}: nobody comes any more",
    first_order: "{shop}: no order yet today",
    spikeOff: "{shop}: as many visitors as usual again",
    dropOff: "{shop}: as many visitors as usual again",
    silenceOff: "{shop}: visitors come again",
    first_orderOff: "{shop}: the first order is there",
    trafficSays:
      "{from} to {to}: {visitors} visitors. On the {days} days before at this time: {median} in the middle, {least} at least, {most} at most.",
    silenceSays: "No visitor since {since}. These {hours} hours usually bring {usual}.",
    orderSays:
      "No order since midnight. On the {days} days before there were {usual} by now on average, {least} at least.",
    offSays: "It began at {since} and was over at {until}.",
    goal: "{shop}: goal reached",
    goalSays: "{metric}: {value} since {from}. The goal was {target}.",
    doubt: "{shop}: a day is in doubt",
    doubtSays: "The numbers of {date} could not be confirmed three times. Until they are, they may be wrong.",
    confirm: "{shop}: do you want these mails?",
    confirmSays:
      "Somebody at {shop} wants to send you reports of its shop. If you do not want them, do nothing. If you want them, open this:",
    test: "{shop}: a test",
    testSays: "Messages about {shop} arrive here.",
  },
  de: {
    weekly: "{shop}: die Woche vom {from} bis {to}",
    monthly: "{shop}: {month}",
    visitors: "Besucher",
    visits: "Besuche",
    pageviews: "Seitenaufrufe",
    bounce_rate: "Absprungrate",
    visit_duration: "Zeit je Besuch",
    orders: "Bestellungen",
    total_revenue: "Umsatz",
    events: "Ereignisse",
    before: "davor: {value}",
    sources: "Woher Besucher kamen",
    pages: "Seiten",
    changes: "Was sich am meisten geändert hat",
    change: "{name}: {now} Besucher, davor {before}",
    direct: "Direkt",
    asOf: "Stand {time}. Späte Aufrufe können es noch ändern.",
    look: "Alle Zahlen: {link}",
    end: "Nichts mehr davon: {link}",
    spike: "{shop}: ungewöhnlich viele Besucher",
    drop: "{shop}: ungewöhnlich wenige Besucher",
    silence: "{shop}: es kommt niemand mehr",
    first_order: "{shop}: heute noch keine Bestellung",
    spikeOff: "{shop}: wieder so viele Besucher wie sonst",
    dropOff: "{shop}: wieder so viele Besucher wie sonst",
    silenceOff: "{shop}: es kommen wieder Besucher",
    first_orderOff: "{shop}: die erste Bestellung ist da",
    trafficSays:
      "{from} bis {to}: {visitors} Besucher. An den {days} Tagen davor um diese Zeit: {median} in der Mitte, mindestens {least}, höchstens {most}.",
    silenceSays: "Kein Besucher seit {since}. Diese {hours} Stunden bringen sonst {usual}.",
    orderSays:
      "Keine Bestellung seit Mitternacht. An den {days} Tagen davor waren es bis jetzt im Mittel {usual}, mindestens {least}.",
    offSays: "Es begann um {since} und war um {until} vorbei.",
    goal: "{shop}: Ziel erreicht",
    goalSays: "{metric}: {value} seit {from}. Das Ziel war {target}.",
    doubt: "{shop}: ein Tag ist zweifelhaft",
    doubtSays: "Die Zahlen vom {date} ließen sich dreimal nicht bestätigen. Bis dahin können sie falsch sein.",
    confirm: "{shop}: Möchten Sie diese Mails?",
    confirmSays:
      "Jemand von {shop} möchte Ihnen Berichte über den Laden senden. Wenn Sie sie nicht möchten, tun Sie nichts. Wenn doch, öffnen Sie dies:",
    test: "{shop}: ein Test",
    testSays: "Nachrichten über {shop} kommen hier an.",
  },
  fr: {
    weekly: "{shop} : la semaine du {from} au {to}",
    monthly: "{shop} : {month}",
    visitors: "Visiteurs",
    visits: "Visites",
    pageviews: "Pages vues",
    bounce_rate: "Taux de rebond",
    visit_duration: "Temps par visite",
    orders: "Commandes",
    total_revenue: "Chiffre d’affaires",
    events: "Événements",
    before: "avant : {value}",
    sources: "D’où viennent les visiteurs",
    pages: "Pages",
    changes: "Ce qui a le plus changé",
    change: "{name} : {now} visiteurs, avant {before}",
    direct: "Accès direct",
    asOf: "État à {time}. Des hits tardifs peuvent encore le changer.",
    look: "Tous les chiffres : {link}",
    end: "Ne plus recevoir ceci : {link}",
    spike: "{shop} : beaucoup plus de visiteurs que d’habitude",
    drop: "{shop} : beaucoup moins de visiteurs que d’habitude",
    silence: "{shop} : plus aucun visiteur",
    first_order: "{shop} : aucune commande aujourd’hui",
    spikeOff: "{shop} : autant de visiteurs que d’habitude à nouveau",
    dropOff: "{shop} : autant de visiteurs que d’habitude à nouveau",
    silenceOff: "{shop} : les visiteurs sont de retour",
    first_orderOff: "{shop} : la première commande est là",
    trafficSays:
      "De {from} à {to} : {visitors} visiteurs. Les {days} jours précédents à cette heure : {median} au milieu, {least} au moins, {most} au plus.",
    silenceSays: "Aucun visiteur depuis {since}. Ces {hours} heures en apportent d’habitude {usual}.",
    orderSays:
      "Aucune commande depuis minuit. Les {days} jours précédents, il y en avait à cette heure {usual} en moyenne, {least} au moins.",
    offSays: "Cela a commencé à {since} et s’est terminé à {until}.",
    goal: "{shop} : objectif atteint",
    goalSays: "{metric} : {value} depuis {from}. L’objectif était {target}.",
    doubt: "{shop} : un jour est incertain",
    doubtSays: "Les chiffres du {date} n’ont pas pu être confirmés trois fois. D’ici là, ils peuvent être faux.",
    confirm: "{shop} : voulez-vous ces messages ?",
    confirmSays:
      "Quelqu’un de {shop} veut vous envoyer des rapports sur sa boutique. Si vous n’en voulez pas, ne faites rien. Si vous les voulez, ouvrez ceci :",
    test: "{shop} : un essai",
    testSays: "Les messages sur {shop} arrivent ici.",
  },
  es: {
    weekly: "{shop}: la semana del {from} al {to}",
    monthly: "{shop}: {month}",
    visitors: "Visitantes",
    visits: "Visitas",
    pageviews: "Páginas vistas",
    bounce_rate: "Tasa de rebote",
    visit_duration: "Tiempo por visita",
    orders: "Pedidos",
    total_revenue: "Ingresos",
    events: "Eventos",
    before: "antes: {value}",
    sources: "De dónde vinieron los visitantes",
    pages: "Páginas",
    changes: "Lo que más cambió",
    change: "{name}: {now} visitantes, antes {before}",
    direct: "Directo",
    asOf: "Hasta {time}. Los datos que lleguen tarde aún pueden cambiarlo.",
    look: "Todos los números: {link}",
    end: "No recibir más: {link}",
    spike: "{shop}: muchos más visitantes de lo habitual",
    drop: "{shop}: muchos menos visitantes de lo habitual",
    silence: "{shop}: ya no viene nadie",
    first_order: "{shop}: hoy no hay ningún pedido todavía",
    spikeOff: "{shop}: otra vez tantos visitantes como siempre",
    dropOff: "{shop}: otra vez tantos visitantes como siempre",
    silenceOff: "{shop}: vuelven los visitantes",
    first_orderOff: "{shop}: llegó el primer pedido",
    trafficSays:
      "De {from} a {to}: {visitors} visitantes. En los {days} días anteriores a esta hora: {median} en el medio, {least} como mínimo, {most} como máximo.",
    silenceSays: "Ningún visitante desde {since}. Estas {hours} horas suelen traer {usual}.",
    orderSays:
      "Ningún pedido desde medianoche. En los {days} días anteriores había a esta hora {usual} de media, {least} como mínimo.",
    offSays: "Empezó a las {since} y terminó a las {until}.",
    goal: "{shop}: objetivo alcanzado",
    goalSays: "{metric}: {value} desde {from}. El objetivo era {target}.",
    doubt: "{shop}: un día está en duda",
    doubtSays: "Los números del {date} no se pudieron confirmar tres veces. Hasta entonces pueden ser erróneos.",
    confirm: "{shop}: ¿quiere estos correos?",
    confirmSays:
      "Alguien de {shop} quiere enviarle informes de su tienda. Si no los quiere, no haga nada. Si los quiere, abra esto:",
    test: "{shop}: una prueba",
    testSays: "Los mensajes sobre {shop} llegan aquí.",
  },
  pt: {
    weekly: "{shop}: a semana de {from} a {to}",
    monthly: "{shop}: {month}",
    visitors: "Visitantes",
    visits: "Visitas",
    pageviews: "Visualizações de página",
    bounce_rate: "Taxa de rejeição",
    visit_duration: "Tempo por visita",
    orders: "Pedidos",
    total_revenue: "Receita",
    events: "Eventos",
    before: "antes: {value}",
    sources: "De onde vieram os visitantes",
    pages: "Páginas",
    changes: "O que mais mudou",
    change: "{name}: {now} visitantes, antes {before}",
    direct: "Direto",
    asOf: "Até {time}. Dados que chegam tarde ainda podem mudar isto.",
    look: "Todos os números: {link}",
    end: "Não receber mais: {link}",
    spike: "{shop}: muito mais visitantes do que o normal",
    drop: "{shop}: muito menos visitantes do que o normal",
    silence: "{shop}: já ninguém vem",
    first_order: "{shop}: ainda nenhum pedido hoje",
    spikeOff: "{shop}: de novo tantos visitantes como sempre",
    dropOff: "{shop}: de novo tantos visitantes como sempre",
    silenceOff: "{shop}: os visitantes voltaram",
    first_orderOff: "{shop}: chegou o primeiro pedido",
    trafficSays:
      "De {from} a {to}: {visitors} visitantes. Nos {days} dias anteriores a esta hora: {median} no meio, {least} no mínimo, {most} no máximo.",
    silenceSays: "Nenhum visitante desde {since}. Estas {hours} horas costumam trazer {usual}.",
    orderSays:
      "Nenhum pedido desde a meia-noite. Nos {days} dias anteriores havia a esta hora {usual} em média, {least} no mínimo.",
    offSays: "Começou às {since} e terminou às {until}.",
    goal: "{shop}: meta atingida",
    goalSays: "{metric}: {value} desde {from}. A meta era {target}.",
    doubt: "{shop}: um dia está em dúvida",
    doubtSays: "Os números de {date} não puderam ser confirmados três vezes. Até lá podem estar errados.",
    confirm: "{shop}: quer estes e-mails?",
    confirmSays:
      "Alguém de {shop} quer enviar-lhe relatórios da sua loja. Se não os quiser, não faça nada. Se os quiser, abra isto:",
    test: "{shop}: um teste",
    testSays: "As mensagens sobre {shop} chegam aqui.",
  },
  ar: {
    weekly: "{shop}: الأسبوع من {from} إلى {to}",
    monthly: "{shop}: {month}",
    visitors: "الزوار",
    visits: "الزيارات",
    pageviews: "مشاهدات الصفحات",
    bounce_rate: "معدل الارتداد",
    visit_duration: "مدة الزيارة",
    orders: "الطلبات",
    total_revenue: "الإيرادات",
    events: "الأحداث",
    before: "من قبل: {value}",
    sources: "من أين جاء الزوار",
    pages: "الصفحات",
    changes: "أكثر ما تغيّر",
    change: "{name}: {now} من الزوار، ومن قبل {before}",
    direct: "مباشر",
    asOf: "حتى {time}. قد تغيّره بيانات تصل متأخرة.",
    look: "كل الأرقام: {link}",
    end: "إيقاف هذه الرسائل: {link}",
    spike: "{shop}: زوار أكثر من المعتاد بكثير",
    drop: "{shop}: زوار أقل من المعتاد بكثير",
    silence: "{shop}: لم يعد أحد يأتي",
    first_order: "{shop}: لا طلب اليوم حتى الآن",
    spikeOff: "{shop}: عاد عدد الزوار إلى المعتاد",
    dropOff: "{shop}: عاد عدد الزوار إلى المعتاد",
    silenceOff: "{shop}: عاد الزوار",
    first_orderOff: "{shop}: وصل الطلب الأول",
    trafficSays:
      "من {from} إلى {to}: {visitors} من الزوار. في الأيام الـ{days} السابقة في هذا الوقت: {median} في الوسط، {least} على الأقل، {most} على الأكثر.",
    silenceSays: "لا زائر منذ {since}. هذه الساعات الـ{hours} تجلب عادةً {usual}.",
    orderSays:
      "لا طلب منذ منتصف الليل. في الأيام الـ{days} السابقة كان حتى الآن {usual} في المتوسط، و{least} على الأقل.",
    offSays: "بدأ ذلك في {since} وانتهى في {until}.",
    goal: "{shop}: تحقق الهدف",
    goalSays: "{metric}: {value} منذ {from}. كان الهدف {target}.",
    doubt: "{shop}: يوم مشكوك فيه",
    doubtSays: "لم يمكن تأكيد أرقام {date} ثلاث مرات. وحتى ذلك الحين قد تكون خاطئة.",
    confirm: "{shop}: هل تريد هذه الرسائل؟",
    confirmSays: "يريد أحد من {shop} أن يرسل إليك تقارير عن متجره. إن لم تردها فلا تفعل شيئًا. وإن أردتها فافتح هذا:",
    test: "{shop}: تجربة",
    testSays: "تصل هنا رسائل {shop}.",
  },
};

/** A text with what stands in braces filled in. */
export function fill(text: string, filling: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => filling[name] ?? whole);
}

/** Writes numbers, money and dates as a language does. Dates and times are the merchant's local ones. */
export function writerOf(language: Language) {
  // Digits are the same in each language, so that they compare with the dashboard's and with a webhook's.
  const locale = `${language}-u-nu-latn`;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, {
    style: "percent",
    maximumFractionDigits: 0,
    signDisplay: "exceptZero",
  });
  const day = new Intl.DateTimeFormat(locale, { timeZone: "UTC", dateStyle: "medium" });
  const month = new Intl.DateTimeFormat(locale, { timeZone: "UTC", month: "long", year: "numeric" });
  const time = (zone: string) =>
    new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: "medium", timeStyle: "short" });
  return {
    count: (value: number) => whole.format(value),
    percent: (value: number) => share.format(value / 100),
    money: (value: number, currency: string) =>
      new Intl.NumberFormat(locale, { style: "currency", currency }).format(value),
    day: (number: number) => day.format(number * 86_400_000),
    month: (number: number) => month.format(number * 86_400_000),
    time: (instant: number, zone: string) => time(zone).format(instant),
  };
}
