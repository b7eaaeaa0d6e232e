"""Replies as people write them, and who gets the next campaign."""

from odoo.tests import BaseCase, new_test_user, tagged

from .. import const
from ..tools.stop_keywords import DOUBT, STOP, read_stop
from .answers_common import OTHER_PHONE, PHONE, AnswersCase

# They opt out.
STOPS = [
    "STOP",
    "stop",
    "Stop.",
    "STOP36111",
    "STOP 36111",
    "STOP:36111",
    "STOP au 36111",
    "36111STOP",
    "STOPSMS",
    "STOP SMS",
    "STOPPUB",
    "Stop!",
    "STOP !!!",
    "S.T.O.P",
    "S.T.O.P.",
    "S T O P",
    "s-t-o-p",
    "S*T*O*P",
    "STOOOP",
    "«STOP»",
    '"Stop"',
    "'stop'",
    "“STOP”",
    "(stop)",
    "STOP 🛑",
    "🙏 STOP 🙏",
    "ＳＴＯＰ",
    "S\u200bTOP",
    "Bonjour STOP",
    "Bonjour, STOP.",
    "Bonjour\nSTOP",
    "Stop svp",
    "STOP svp merci",
    "stop stop",
    "stopstop",
    "Stop please",
    "STOP s'il vous plaît",
    "Ok stop",
    "Non, STOP !",
    "C'est Zoé Martin, stop",
    "Ici Zoé stop",
    "Je dis stop",
    "stop à la pub",
    "Arrêtez !",
    "ARRET",
    "Arrêt",
    "arretez",
    "arrete",
    "Arrêtez svp",
    "Bonjour, arrêtez de m'écrire",
    "Merci d'arrêter de m'envoyer des SMS",
    "Veuillez arrêter ces messages",
    "Arrêter les SMS",
    "Désabonner",
    "désabonnement",
    "Désabonnez-moi",
    "me désabonner",
    "Je veux me désabonner",
    "Désinscription",
    "desinscription svp",
    "Je souhaite me désinscrire de votre liste",
    "Je ne veux plus de vos SMS",
    "Je ne veux plus recevoir de SMS",
    "je ne souhaite plus être contacté",
    "je veux plus de vos messages",
    "Ne m'envoyez plus rien",
    "ne m'envoyez plus de sms svp",
    "Ne me contactez plus",
    "merci de ne plus m'envoyer de SMS",
    "Ne plus recevoir de messages",
    "Plus de SMS svp",
    "Plus de pub",
    "Retirez-moi de votre liste",
    "Supprimez mon numéro",
    "Cessez de m'écrire",
    "unsubscribe",
    "unsubscribe please",
    "UNSUBSCRIBE ME",
    "Please stop",
    "stop texting me",
    "Please stop sending me messages",
    "opt out",
    "Opt-out",
    "no more texts",
    "Remove me from your list",
    "Do not text me again",
    "don't contact me anymore",
    "take me off this list",
    "BAJA",
    "Baja por favor",
    "Quiero darme de baja",
    "no me envíen más mensajes",
    "No quiero más SMS",
    "dejen de enviar mensajes",
    "PARAR",
    "cancellami",
    "disiscrivimi",
    "Non voglio più ricevere SMS",
    "non inviatemi più messaggi",
    "Smettete di scrivermi",
    "Abmelden",
    "Bitte abmelden",
    "Keine SMS mehr",
    "Bitte keine Werbung mehr",
    "STOPP",
    "Stopp bitte",
    "schicken Sie mir keine SMS mehr",
    "Löschen Sie meine Nummer",
    "Afmelden",
    "Uitschrijven aub",
    "Geen sms meer",
    "schrijf me uit",
    "stop met sms'en",
    "Wypisz mnie",
    "Rezygnuję",
    "Proszę nie wysyłać SMS",
    "Nie chcę otrzymywać wiadomości",
    "STOP je ne veux plus rien",
    "Stop merci de me retirer",
    "je suis pas intéressé stop",
    "Je ne suis pas intéressé stop",
    "Je ne suis pas du tout intéressée, stop",
    "Not interested stop",
    "Nenvoyez plus de sms",
    "n'envoyez plus de pub",
    "n'envoyez plus rien",
    "arretez de menvoyer des messages",
    "merci darreter",
    "ST0P",
    "Ѕtор",
    "S top",
    "st op",
    "désincrire",
    "desincription",
    "Desabbonement",
    "unsuscribe",
    "rayez-moi de vos listes",
    "radiez moi de votre fichier",
    "J'en veux plus de vos SMS",
    "erreur de numéro, stop",
    "Arrêt des envois svp",
    "Keine weiteren SMS bitte",
    "Cancellatemi dalla lista",
    "no enviar más mensajes",
    "Verwijder mijn nummer",
    "Bjr, svp retirer mon num de vos listes",
    "Veuillez me retirer de votre liste de diffusion",
    "merci de me retirer de vos envois",
    "arrettez",
    "arettez svp",
    "Aretter les sms",
    "jveux plus recevoir de sms",
    "je veu plus recevoir de message",
    "J'veux plus vos sms",
    "je veux plus de tous ces sms",
    "SMS:STOP",
    "Stop au 36180 merci",
    "Merci de supprimer mon numéro de votre fichier",
    "arreter de menvoyé des sms",
    "Comment me désabonner ?",
    "Pls remove my number",
    "Don't send me any more texts",
    "Quiero la baja",
    "Por favor, dejen de mandarme mensajes",
    "vorrei disiscrivermi",
    "smettetela di scrivermi",
    "Ich möchte keine SMS mehr erhalten",
    "Bitte löschen Sie mich aus der Liste",
    "ik wil geen sms meer ontvangen",
    "Proszę o usunięcie mojego numeru",
    "nie przysyłajcie mi więcej wiadomości",
    "Ya no quiero mensajes",
    "no deseo recibir más publicidad",
    "quítenme de la lista",
    "Non desidero ricevere altri messaggi",
    "non mi scrivete più",
    "nehmen Sie mich aus dem Verteiler",
    "gelieve mij te verwijderen",
    "opt me out",
    "do not contact",
    "plus jamais de sms",
    "virez-moi de votre liste",
]
# Somebody has to decide.
DOUBTS = [
    "🛑",
    "sotp",
    "36111",
    "stoppez",
    "Pourquoi stop ?",
    "laissez-moi tranquille",
    "ça suffit",
    "C'est du spam",
    "basta",
    "leave me alone",
    "Lassen Sie mich in Ruhe",
    "pas de pub",
    "Vous allez avoir un problème avec la CNIL",
    "Mon mari dit stop mais moi je reste cliente chez vous",
    "laat me met rust",
    "dajcie mi spokój",
    "halte",
    "arete",
    "Arête SVP",
    "stpo",
    "stoop",
    "sttop",
    "stpp",
    "srop",
    "Retirez-moi svp",
    "Je ne suis plus client, retirez-moi",
    "retirez-moi",
    "lâchez moi",
    "Je refuse vos SMS",
    "Je m'oppose à la réception de vos SMS",
    "opposition",
    "quit",
    "remove",
    "Aufhören!",
    "No molestar",
    "fermate questi messaggi",
    "arrêter quoi ?",
    "Arrêt Gare du Nord",
    "Je me suis désabonnée par erreur",
    "Je suis désinscrit mais je voudrais revenir",
    "Ne me dérangez pas",
    "laissez nous tranquilles",
    "Ne me relancez pas svp",
    "no me molesten",
    "lasciatemi in pace",
    "Erreur de destinataire, merci de me retirer",
    "J'exerce mon droit d'opposition",
    "numéro à supprimer",
    "no más",
    "cancellazione",
    "proszę nie pisać",
    "no texts pls",
    "hört auf",
]
# They say nothing of it, or the contrary.
OTHERS = [
    "Ne vous arrêtez pas",
    "le bus stop",
    "Ne vous arrêtez pas !",
    "N'arrêtez pas",
    "n'arrêtez surtout pas",
    "arrêtez pas",
    "Je ne veux pas me désabonner",
    "ne me désabonnez pas",
    "ne pas désabonner",
    "non stop",
    "Non-stop",
    "C'est ouvert non stop ?",
    "Merci, arrêt de bus ?",
    "Je suis à l'arrêt de bus",
    "Je m'arrête à 18h",
    "je suis au stop",
    "on se voit au panneau stop",
    "Don't stop",
    "do not stop",
    "please don't unsubscribe me",
    "Nicht stoppen",
    "Bitte nicht abmelden",
    "niet stoppen",
    "one stop shop?",
    "bus stop",
    "Je suis en arrêt maladie",
    "Estoy de baja",
    "Merci",
    "Bonjour, à quelle heure ouvrez-vous ?",
    "Oui",
    "OK",
    "Non",
    "Non merci",
    "j'arrive",
    "D'accord pour 14h",
    "Il n'y a plus de stock",
    "Je ne veux plus de la commande",
    "Je ne veux pas de rendez-vous lundi",
    "Avez-vous plus de modèles ?",
    "top",
    "shop",
    "stp",
    "👍",
    "Nous nous sommes arrêtés chez vous hier",
    "Rendez-vous à l'arrêt du tram",
    "Appelez-moi",
    "post",
    "C'est où ?",
    "Je vous envoie plus de photos demain",
    "je viens en stop",
    "Je n'ai pas demandé à être désabonné",
    "je ne souhaite pas du tout me désinscrire",
    "I never asked to opt out",
    "I don't want to opt out",
    "Please don't remove me from your list",
    "Löschen Sie meine Nummer nicht",
    "schrijf me niet uit",
    "verwijder mijn nummer niet",
    "Non cancellate il mio numero",
    "No eliminen mi número",
    "nie usuwaj mojego numeru",
    "retirez-moi de la commande les deux chaises",
    "Annulez mon rendez-vous",
    "step",
    "N'envoyez plus la commande",
    "Je suis arrêté jusqu'au 12",
    "j'ai arrêté de fumer",
    "on a arrêté le chauffage",
    "Je veux plus d'informations sur vos promos",
    "je veux plus de détails sur vos offres",
    "Pouvez-vous nous retirer de la liste d'attente",
    "Merci de ne pas me retirer de votre liste",
    "sans arêtes",
    "Je n'arrête pas de recevoir vos sms, merci !",
    "tournez à droite au stop",
    "nicht abmelden bitte",
    "La planta baja?",
    "nie rezygnuję",
    "Je ne reçois plus vos SMS",
    "Aus der Liste der Produkte nehme ich das rote",
    "Bitte nehmen Sie mich nicht aus dem Verteiler",
    "Non voglio ricevere la merce lunedì",
    "merci de me retirer un colis",
    "Mauvais numéro",
    "no sms received",
    "Virement fait",
    "No quiero la oferta",
]


@tagged("-at_install", "post_install")
class TestStopReplies(AnswersCase):
    """What the next marketing SMS come to, at OVHcloud."""

    def _reply_all(self, texts, body="Bonjour"):
        """Have each number of a list reply one of the texts to an SMS.

        :return: text by number
        :rtype: dict[str, str]
        """
        self.account.default_sender_id = self._sender(type="shortcode")
        numbers = self._numbers(len(texts))
        jobs = self._create_sms(numbers, body)._sms_ovh_claim()
        jobs._dispatch_after_commit()
        self._commit()
        self.env.invalidate_all()
        for number, text in zip(numbers, texts, strict=True):
            self._answer("reply", number=number, text=text)
        while self.account._read_answers() is False:
            continue
        self.env.invalidate_all()
        return dict(zip(numbers, texts, strict=True))

    def test_next_campaign(self):
        texts = self._reply_all(STOPS + DOUBTS + OTHERS)
        replies = self.env["sms.ovh.reply"].search([])
        self.assertEqual(len(replies), len(texts))
        by_text = {reply.body: reply for reply in replies}
        for expected, cases in (("stop", STOPS), ("doubt", DOUBTS), ("new", OTHERS)):
            for text in cases:
                with self.subTest(text=text):
                    self.assertEqual(by_text[text].state, expected)
        blacklist = self.env["phone.blacklist"].search([])
        self.assertEqual(
            # OVHcloud has one of its own.
            {texts.get(number) for number in blacklist.mapped("number")} - {None},
            set(STOPS),
        )
        # The campaign's estimate, and what leaves, agree.
        before = len(self.simulator.get_ledger())
        mailing = self._create_mailing(list(texts), body="Soldes")
        estimate = self.env["sms.ovh.estimate"]._start(mailing)
        # They are too many to be estimated at once.
        self._run_cron("sms_ovh.ir_cron_estimate")
        self.assertEqual(estimate.state, "done")
        lines = estimate.line_ids.filtered(lambda line: line.kind == "excluded")
        self.assertEqual(
            {line.reason: line.count for line in lines},
            {"sms_blacklist": len(STOPS), "sms_ovh_seems_stop": len(DOUBTS)},
        )
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        ledger = self.simulator.get_ledger()[before:]
        self.assertEqual({texts[sms["receiver"]] for sms in ledger}, set(OTHERS))

    def test_quotes_of_what_was_sent(self):
        """Phones and people copy our own text, which says how to stop."""
        sent = (
            "Ma Boutique : -20 % sur tout le magasin samedi. Pour ne plus recevoir de"
            " SMS, répondez STOP"
        )
        expected = {
            sent: "doubt",
            f"> {sent}": "doubt",
            f"Merci, à samedi !\n> {sent}": "doubt",
            f"« {sent.upper()} » C'est quelle adresse ?": "doubt",
            f"{sent}\nSTOP:36111 - merci pour l'info": "doubt",
            f"{sent} STOP": "stop",
            f"STOP\n> {sent}": "stop",
            f"{sent}\n\nJe ne veux plus recevoir de SMS": "stop",
            "Ne plus recevoir de SMS": "stop",
            "Pour ne plus recevoir de SMS : STOP": "stop",
            "-20 % sur tout le magasin samedi ?": "new",
        }
        self._reply_all(list(expected), sent)
        for reply in self.env["sms.ovh.reply"].search([]):
            with self.subTest(reply.body):
                self.assertEqual(reply.state, expected[reply.body])

    def _read_one(self, text):
        self._send_to()
        self._answer("reply", text=text)
        self.account._read_answers()
        reply = self.env["sms.ovh.reply"].search([], limit=1)
        self.assertEqual(reply.state, "doubt")
        return reply

    def _count_sent(self, number=PHONE, **values):
        """Return how many marketing SMS to a number get to OVHcloud now."""
        before = len(self.simulator.get_ledger(receiver=number))
        self._create_sms(
            [number], body="Soldes", sms_ovh_kind="marketing", **values
        ).send()
        self._commit()
        self.env.invalidate_all()
        return len(self.simulator.get_ledger(receiver=number)) - before

    def test_somebody_decides_that_it_is_one(self):
        user = new_test_user(
            self.env,
            "responsable",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.account.user_id = user
        reply = self._read_one("Laissez-moi tranquille")
        message = self.env["mail.message"].search(
            [("model", "=", reply._name), ("res_id", "=", reply.id)], limit=1
        )
        self.assertIn("seems to ask to stop", message.subject)
        self.assertEqual(message.notified_partner_ids, user.partner_id)
        self.assertEqual(self._count_sent(), 0)
        self.assertEqual(self._count_sent(OTHER_PHONE), 1)
        sms = self.env["sms.sms"].search([("number", "=", PHONE)], limit=1)
        self.assertRecordValues(
            sms, [{"state": "canceled", "failure_type": "sms_ovh_seems_stop"}]
        )
        # What is no advertising goes out.
        before = len(self.simulator.get_ledger(receiver=PHONE))
        self._create_sms([PHONE], sms_ovh_kind="transactional").send()
        self._commit()
        self.assertEqual(len(self.simulator.get_ledger(receiver=PHONE)), before + 1)
        reply.with_user(user).action_opt_out()
        self.assertEqual(reply.state, "stop")
        self.assertTrue(self.env["phone.blacklist"].search([("number", "=", PHONE)]))
        self.assertEqual(self._count_sent(), 0)

    def test_somebody_decides_that_it_is_none(self):
        reply = self._read_one("ça suffit, je viens demain")
        self.assertEqual(self._count_sent(), 0)
        reply.action_no_stop()
        self.assertEqual(reply.state, "new")
        self.assertTrue(reply.seems_stop)
        self.assertFalse(self.env["phone.blacklist"].search([("number", "=", PHONE)]))
        self.assertEqual(self._count_sent(), 1)

    def test_a_stop_decides(self):
        reply = self._read_one("marre de tout")
        self._answer("stop")
        self.account._read_answers()
        self.assertFalse(reply.held_number)
        self.assertEqual(self._count_sent(), 0)

    def test_in_the_outbox_before_the_reply(self):
        self._send_to()
        self.account.pause_reason = "credit"
        sms = self._create_sms([PHONE, OTHER_PHONE], sms_ovh_kind="marketing")
        sms.send()
        self._commit()
        before = len(self.simulator.get_ledger())
        self._answer("reply", text="laissez moi tranquille")
        self.account._read_answers()
        self.account.pause_reason = False
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.env.invalidate_all()
        ledger = self.simulator.get_ledger()[before:]
        self.assertEqual([one["receiver"] for one in ledger], [OTHER_PHONE])
        self.assertEqual(sms[0].failure_type, "sms_ovh_seems_stop")


@tagged("-at_install", "post_install")
class TestStopWords(BaseCase):
    def test_lists(self):
        for expected, cases in ((STOP, STOPS), (DOUBT, DOUBTS), (None, OTHERS)):
            for text in cases:
                with self.subTest(text=text):
                    self.assertEqual(read_stop(text, const.STOP_KEYWORDS), expected)
        for nothing in (None, "", "…", " "):
            self.assertIsNone(read_stop(nothing, const.STOP_KEYWORDS))

    def test_every_word_of_the_list(self):
        for word in const.STOP_KEYWORDS.split(","):
            for text in (word, f"{word.lower()} !", f"Bonjour {word}, merci"):
                self.assertEqual(read_stop(text, const.STOP_KEYWORDS), STOP, text)

    def test_long_reply(self):
        """A word somewhere in a letter is for somebody to read."""
        letter = "je vous remercie de votre accueil et de la livraison de samedi " * 3
        self.assertIsNone(read_stop(letter + "ça suffit", const.STOP_KEYWORDS))
        self.assertEqual(
            read_stop(letter + "et puis stop ensuite", const.STOP_KEYWORDS), DOUBT
        )
        self.assertEqual(read_stop("STOP " + letter, const.STOP_KEYWORDS), STOP)

    def test_list_of_ones_own(self):
        self.assertEqual(read_stop("Fini merci", "fini"), STOP)
        # What it has not is for somebody to decide.
        self.assertEqual(read_stop("stop", "fini"), DOUBT)
        self.assertEqual(read_stop("désabonnement", "fini"), DOUBT)
